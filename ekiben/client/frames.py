"""Frames: tables of pandas, polars and pyarrow, as rows to send and as answers to give back."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from ekiben.client.records import moved
from ekiben.errors import MAX_PROBLEMS, InputError, MalformedError, Problem, nearest
from ekiben.signature.records import plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import pandas as pd

    from ekiben.client.columns import AnswerColumn
    from ekiben.signature import Signature

CHECK_ROWS = 50_000
"""Rows that are checked in one go; bounds what a check takes in memory."""


class Frame(Protocol):
    """A table of one of the libraries."""

    @property
    def rows(self) -> int:
        """How many rows there are."""

    @property
    def names(self) -> Sequence[str]:
        """What the columns are called."""

    def records(self, signature: Signature, start: int, stop: int, *, check: bool) -> list[dict[str, Any]]:
        """Return some rows as records with the columns of `signature`.

        Raises:
            InputError: Some do not fit; rows are counted from `start`.
        """

    def answers(self, columns: Sequence[AnswerColumn], values: Mapping[str, np.ndarray[Any, Any]]) -> Any:
        """Return `values` as a frame of the same library, with the same index."""


def frame_of(frame: object) -> Frame:
    """Return `frame` with the face that the client needs.

    Raises:
        MalformedError: It is no frame of pandas, polars or pyarrow.
    """
    for library, name, kind in _KINDS:
        known = getattr(sys.modules.get(library), name, None)  # who holds a frame has imported its library
        if known is not None and isinstance(frame, known):
            return kind(frame)
    advice = (
        "collect it first" if type(frame).__name__ == "LazyFrame" else "predict_many takes a list of dicts"
    )
    raise MalformedError(
        f"frame: expected a DataFrame of pandas or polars, or a Table of pyarrow, got {type(frame).__name__}; {advice}"
    )


def check(frame: Frame, signature: Signature) -> None:
    """Check all rows of `frame`, and keep nothing.

    Raises:
        InputError: A column is missing, or rows do not fit; it lists every problem.
    """
    problems = [
        _absent(column.name, frame.names)
        for column in signature.columns
        if column.name not in frame.names and not column.nullable
    ]
    if problems:
        raise InputError(problems)
    total = 0
    for start in range(0, frame.rows, CHECK_ROWS):
        try:
            frame.records(signature, start, min(start + CHECK_ROWS, frame.rows), check=True)
        except InputError as error:
            problems += moved(error, start).problems[: MAX_PROBLEMS - len(problems)]
            total += error.total
    if total:
        raise InputError(problems, total)


def _absent(name: str, names: Sequence[str]) -> Problem:
    near = nearest(name, names)
    advice = f"; did you mean {near!r} by it?" if near is not None else ""
    return Problem(message=f"the frame has no column {name!r}{advice}", column=name, nearest=near)


class PandasFrame:
    """A frame of pandas; columns that the model does not know are left out.

    Args:
        frame: The frame.
    """

    def __init__(self, frame: pd.DataFrame) -> None:
        self._frame = frame
        self.rows = len(frame)
        self.names = [str(name) for name in frame.columns]

    def records(self, signature: Signature, start: int, stop: int, *, check: bool) -> list[dict[str, Any]]:
        """See `Frame.records`."""
        part = self._frame.iloc[start:stop]
        part = part[[name for name in signature.names if name in part.columns]]
        if not check:
            return pandas_records(part)
        checked = signature.check_frame(part)
        if checked.problems:
            raise InputError(
                [problem for row in sorted(checked.problems) for problem in checked.problems[row]]
            )
        return pandas_records(checked.frame)

    def answers(self, columns: Sequence[AnswerColumn], values: Mapping[str, np.ndarray[Any, Any]]) -> Any:
        """See `Frame.answers`."""
        import pandas as pd  # noqa: PLC0415 - heavy, and only needed for its own frames

        dtypes = {"float": "float64", "integer": "int64", "boolean": "bool", "text": "str"}
        made = {
            column.name: pd.Series(values[column.name], index=self._frame.index, dtype=dtypes[column.kind])
            for column in columns
        }
        return pd.DataFrame(made, index=self._frame.index)


class PolarsFrame:
    """A frame of polars; columns that the model does not know are left out.

    Args:
        frame: The frame.
    """

    def __init__(self, frame: Any) -> None:
        self._frame = frame
        self.rows = len(frame)
        self.names: list[str] = list(frame.columns)

    def records(self, signature: Signature, start: int, stop: int, *, check: bool) -> list[dict[str, Any]]:
        """See `Frame.records`."""
        names = [name for name in signature.names if name in self.names]
        part = self._frame[start:stop]
        return _records(signature, names, [part[name].to_list() for name in names], stop - start, check=check)

    def answers(self, columns: Sequence[AnswerColumn], values: Mapping[str, np.ndarray[Any, Any]]) -> Any:
        """See `Frame.answers`."""
        import polars as pl  # noqa: PLC0415 - optional, and only needed for its own frames

        dtypes = {"float": pl.Float64, "integer": pl.Int64, "boolean": pl.Boolean, "text": pl.String}
        return pl.DataFrame(
            [pl.Series(column.name, values[column.name].tolist(), dtypes[column.kind]) for column in columns]
        )


class ArrowFrame:
    """A table of pyarrow; columns that the model does not know are left out.

    Args:
        table: The table.
    """

    def __init__(self, table: Any) -> None:
        self._table = table
        self.rows: int = table.num_rows
        self.names: list[str] = table.column_names

    def records(self, signature: Signature, start: int, stop: int, *, check: bool) -> list[dict[str, Any]]:
        """See `Frame.records`."""
        names = [name for name in signature.names if name in self.names]
        part = self._table.slice(start, stop - start)
        return _records(
            signature, names, [part[name].to_pylist() for name in names], stop - start, check=check
        )

    def answers(self, columns: Sequence[AnswerColumn], values: Mapping[str, np.ndarray[Any, Any]]) -> Any:
        """See `Frame.answers`."""
        import pyarrow as pa  # noqa: PLC0415 - optional, and only needed for its own tables

        types = {"float": pa.float64(), "integer": pa.int64(), "boolean": pa.bool_(), "text": pa.string()}
        return pa.table(
            {column.name: pa.array(values[column.name], types[column.kind]) for column in columns}
        )


_KINDS: tuple[tuple[str, str, type[PandasFrame | PolarsFrame | ArrowFrame]], ...] = (
    ("pandas", "DataFrame", PandasFrame),
    ("polars", "DataFrame", PolarsFrame),
    ("pyarrow", "Table", ArrowFrame),
)


def pandas_records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of `frame` as records that can be sent; a missing value is None or NaN, which JSON calls null.

    >>> import pandas as pd
    >>> pandas_records(pd.DataFrame({"age": [41, 17], "since": pd.to_datetime(["2026-01-31", None])}))
    [{'age': 41, 'since': datetime.datetime(2026, 1, 31, 0, 0)}, {'age': 17, 'since': None}]
    """
    columns = [_values(frame[name]) for name in frame.columns]
    names = [str(name) for name in frame.columns]
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def _values(column: pd.Series[Any]) -> list[Any]:
    if isinstance(column.dtype, np.dtype) and column.dtype.kind in "iubf":
        return column.tolist()
    return [value if type(value) is str else plain(value) for value in column.astype(object).tolist()]


def _records(
    signature: Signature, names: Sequence[str], columns: Iterable[list[Any]], rows: int, *, check: bool
) -> list[dict[str, Any]]:
    """Return columns of plain values as records, checked if asked for."""
    records = [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]
    if not check:
        return records or [{} for _ in range(rows)]
    checked = signature.check_records(records)
    return [dict(zip(signature.names, row, strict=True)) for row in checked]
