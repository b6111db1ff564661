"""Flags: what every script in `train/` can be asked."""

from __future__ import annotations

import argparse
import csv
import dataclasses
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ekiben.errors import EkibenError
from ekiben.fit.threads import only_one

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType


@dataclasses.dataclass(frozen=True)
class Arguments:
    """What a training script was asked.

    Args:
        target: The column to predict.
        data: A CSV or Parquet file; None for the script's own data.
        drop: Columns to leave out.
        seed: For everything that is drawn at random.
        quick: Whether a small search will do.
    """

    target: str
    data: Path | None = None
    drop: tuple[str, ...] = ()
    seed: int = 0
    quick: bool = False


def arguments(doc: str | None, *, target: str, argv: Sequence[str] | None = None) -> Arguments:
    """Read the flags of a training script.

    Errors of Ekiben that the script meets afterwards are told as one line, without a traceback, and its numeric
    libraries use one thread each (`ekiben.fit.threads` says why).

    Args:
        doc: The script's docstring; shown by `--help`.
        target: The target column, unless `--target` names another.
        argv: The words of the command line; by default those of the process.

    >>> arguments("Credit.", target="repaid", argv=["--seed", "3", "--quick"])
    Arguments(target='repaid', data=None, drop=(), seed=3, quick=True)
    """
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--data", type=Path, metavar="FILE", help="CSV or Parquet; by default the script's own data"
    )
    parser.add_argument(
        "--target", default=target, metavar="COLUMN", help="the column to predict (%(default)r)"
    )
    parser.add_argument(
        "--drop", type=names, default=(), metavar="A,B", help="columns of the file to leave out"
    )
    parser.add_argument("--seed", type=int, default=0, help="for everything drawn at random (%(default)s)")
    parser.add_argument(
        "--quick", action="store_true", help="fewer rows and settings: seconds instead of minutes"
    )
    given = parser.parse_args(argv)
    if argv is None:
        sys.excepthook = _tell
        only_one()
    return Arguments(given.target, given.data, given.drop, given.seed, given.quick)


def names(text: str) -> tuple[str, ...]:
    """Return the names in a comma-separated text; quotes protect a comma.

    >>> names('TWF, HDF,"a,b"')
    ('TWF', 'HDF', 'a,b')
    """
    cells = next(csv.reader([text], skipinitialspace=True), [])
    return tuple(cell.strip() for cell in cells if cell.strip())


def _tell(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if isinstance(error, EkibenError):
        sys.stderr.write(f"error: {error}\n")
    else:
        sys.__excepthook__(kind, error, trace)
