"""Source: a file of rows, read in pieces."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Protocol

from ekiben.errors import TableError, nearest
from ekiben.score.form import form_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import pandas as pd

    from ekiben.score.chunk import Piece, Refused
    from ekiben.signature import Signature


class Source(Protocol):
    """A file of rows."""

    @property
    def path(self) -> Path:
        """Where it is."""

    @property
    def columns(self) -> dict[str, str]:
        """Its columns and what they hold, in words; the order is that of the file."""

    @property
    def rows(self) -> int | None:
        """How many rows there are; None if only reading tells."""

    def choose(self, names: Sequence[str]) -> None:
        """Read these columns only."""

    def pieces(self, start: int) -> Iterator[Piece]:
        """Yield the rows in order; those before `start` may be left out.

        Raises:
            TableError: The file cannot be read on.
        """

    def join(self, parts: Sequence[Any]) -> Any:
        """Return one table of several, or of none."""

    def features(self, data: Any, signature: Signature) -> tuple[pd.DataFrame, Refused]:
        """Return the columns of the signature, ready to be checked, and rows that cannot be read."""

    def kept(self, data: Any, names: Sequence[str]) -> tuple[Any, Refused]:
        """Return columns as an Arrow table with the types of `kept_schema`, and rows that cannot be read."""

    def kept_schema(self, names: Sequence[str]) -> Any:
        """Return the Arrow schema of columns that pass through."""

    def done(self) -> float:
        """Return what share of the file has been read, from 0 to 1."""


def open_source(path: Path) -> Source:
    """Return the source that reads `path`, by its ending.

    Raises:
        TableError: There is no such file, or it is empty, or it cannot be read.
    """
    form = form_of(path)
    if not path.exists():
        siblings = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
        near = nearest(path.name, siblings)
        raise TableError(
            f"there is no file {path}" + (f"; did you mean {path.parent / near}?" if near else "")
        )
    if path.is_dir():
        raise TableError(f"{path} is a folder; name one file")
    if not os.access(path, os.R_OK):
        raise TableError(f"{path} may not be read by this user")
    if form == "csv":
        from ekiben.score.csv_source import CsvSource  # noqa: PLC0415 - pyarrow is heavy

        return CsvSource(path)
    if form == "ndjson":
        from ekiben.score.ndjson_source import NdjsonSource  # noqa: PLC0415 - as above

        return NdjsonSource(path)
    from ekiben.score.arrow_source import ArrowSource, ParquetSource  # noqa: PLC0415 - as above

    return ParquetSource(path) if form == "parquet" else ArrowSource(path)


def check_columns(source: Source, signature: Signature) -> None:
    """Check that the file has the columns that the model takes.

    A column that may miss values has to be there, too: a misspelt name would otherwise make every value missing.

    Raises:
        TableError: One is not there.
    """
    names = list(source.columns)
    absent = [name for name in signature.names if name not in source.columns]
    if not absent:
        return
    others = [name for name in names if name not in signature.names]
    near = nearest(absent[0], others)
    hint = f"; did you mean {near!r} by {absent[0]!r}?" if near else ""
    shown = ", ".join(map(repr, names[:20])) + (", …" if len(names) > 20 else "")
    raise TableError(
        f"{source.path} lacks the column{'s' if len(absent) > 1 else ''} {', '.join(map(repr, absent))} that the model "
        f"takes{hint}; it has {shown}"
    )
