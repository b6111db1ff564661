"""Form: what kind of file a name stands for, by its ending."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

from ekiben.errors import MissingExtraError, TableError, nearest

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

Form: TypeAlias = Literal["csv", "ndjson", "parquet", "arrow", "arrows"]
"""`arrow` is the file format of Arrow IPC (Feather), `arrows` its stream format."""

OUTPUT_ENDINGS: dict[str, Form] = {
    ".csv": "csv",
    ".ndjson": "ndjson",
    ".jsonl": "ndjson",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".arrow": "arrow",
    ".feather": "arrow",
    ".ipc": "arrow",
    ".arrows": "arrows",
}
"""What is written, by ending."""

INPUT_ENDINGS: dict[str, Form] = {**OUTPUT_ENDINGS, ".tsv": "csv", ".txt": "csv"}
"""What is read, by ending."""


def form_of(path: Path, endings: Mapping[str, Form] = INPUT_ENDINGS) -> Form:
    """Return the form of a file by its ending.

    Args:
        path: The file; it need not exist.
        endings: The endings that are known.

    Raises:
        TableError: The ending is not known; the message lists those that are.
        MissingExtraError: pyarrow is not installed.

    >>> from pathlib import Path
    >>> form_of(Path("applicants.Parquet"))
    'parquet'
    """
    ending = path.suffix.lower()
    form = endings.get(ending)
    if form is None:
        near = nearest(ending, endings) if ending else None
        hint = f"; did you mean {path.with_suffix(near)}?" if near else ""
        raise TableError(f"{path.name!r}: expected a file that ends in {', '.join(endings)}{hint}")
    try:
        import pyarrow  # noqa: F401, ICN001, PLC0415 - all forms are read and written with it; only looked for here
    except ImportError as error:
        raise MissingExtraError("pyarrow", "arrow", "scoring files") from error
    return form
