"""Source: the file that a table is read from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ekiben.errors import MissingExtraError, TableError, nearest
from ekiben.fit.csv_file import read_csv

if TYPE_CHECKING:
    import pandas as pd

_READABLE = {".csv": "csv", ".tsv": "csv", ".txt": "csv", ".parquet": "parquet", ".pq": "parquet"}


def read(path: str | Path) -> pd.DataFrame:
    """Read a CSV or Parquet file, by its ending.

    Args:
        path: A file that ends in .csv, .tsv, .txt (UTF-8, separated by comma, semicolon, tab or bar, names in the
            first line; `.csv.gz` too) or in .parquet, .pq.

    Returns:
        The table as it is, with a range as its index; columns keep their names. What was taken for missing in a CSV
        file, or read in a way that is not self-evident, is said in `attrs["said"]`, by the name of the column.

    Raises:
        TableError: If there is no such file, or it is empty, or it cannot be read as what its ending says.
    """
    path = Path(path)
    _check(path)
    frame = _read_parquet(path) if _form(path) == "parquet" else read_csv(path)
    if frame.shape[1] == 0 or len(frame) == 0:
        raise TableError(
            f"{path} has no rows of data: a line of column names, then one line per row is expected"
        )
    frame.columns = [str(name) if name is not None else "" for name in frame.columns]
    repeated = sorted(set(frame.columns[frame.columns.duplicated()]))
    if repeated:
        raise TableError(f"{path} has several columns called {repeated[0]!r}: give each its own name")
    return frame.reset_index(drop=True)


def _form(path: Path) -> str | None:
    endings = [
        ending for ending in path.suffixes[-2:] if ending.lower() not in {".gz", ".bz2", ".xz", ".zst"}
    ]
    return _READABLE.get(endings[-1].lower()) if endings else None


def _check(path: Path) -> None:
    if not path.exists():
        siblings = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
        near = nearest(path.name, siblings)
        hint = f"; did you mean {path.parent / near}?" if near else f" in {path.parent.resolve()}"
        raise TableError(f"there is no file {str(path)!r}{hint}")
    if path.is_dir():
        raise TableError(f"{path} is a folder: name one CSV or Parquet file")
    if _form(path) is None:
        raise TableError(f"{path.name!r}: a file that ends in .csv, .tsv, .txt or .parquet was expected")
    if path.stat().st_size == 0:
        raise TableError(f"{path} is empty: a line of column names, then one line per row is expected")


def _read_parquet(path: Path) -> pd.DataFrame:
    try:
        import pyarrow as pa  # noqa: PLC0415 - an optional library
        import pyarrow.parquet as pq  # noqa: PLC0415 - as above
    except ImportError as error:
        raise MissingExtraError("pyarrow", "arrow", "reading Parquet") from error
    try:
        with pq.ParquetFile(path) as file:
            table = file.read()
    except (pa.ArrowException, OSError) as error:
        raise TableError(f"{path} cannot be read as Parquet: {error}") from error
    frame: pd.DataFrame = table.to_pandas(ignore_metadata=True)
    return frame
