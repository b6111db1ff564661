"""Records: mappings from column names to values, checked and put into the order of the columns."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import msgspec
import numpy as np

from ekiben.errors import quote
from ekiben.signature.problems import Problems

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ekiben.signature.cell import Cell
    from ekiben.signature.column import Value

T = TypeVar("T")

_NO_VALUE = {"NAType", "NaTType"}
"""The types of pandas' NA and NaT, by name: pandas is not imported for them."""


class Records:
    """Puts records into rows, and notes all that is wrong with them.

    Args:
        cells: What each column may hold, by its name, in the order of a row.
        extra: What to do with a name that is not among them.
    """

    def __init__(self, cells: Mapping[str, Cell], extra: Literal["error", "ignore"]) -> None:
        self._cells = cells
        self._names = tuple(cells)
        self._extra = extra

    def row(
        self,
        index: int,
        record: Mapping[str, T],
        take: Callable[[int, Cell, T, Problems], Value],
        problems: Problems,
    ) -> tuple[Any, ...]:
        """Return the values of `record` as `take` reads them, with None for what is missing or wrong."""
        if self._extra == "error" and len(record) == 1 and len(self._names) > 1:
            ((name, held),) = record.items()
            if name not in self._cells and _is_container(held):
                problems.envelope(index, str(name))
                return ()
        values: list[Value] = []
        absent: list[str] = []
        for name, cell in self._cells.items():
            if name in record:
                values.append(take(index, cell, record[name], problems))
                continue
            values.append(None)
            absent.append(name)
            if not cell.column.nullable:
                problems.absent(index, cell)
        if self._extra == "error" and len(record) + len(absent) > len(self._names):
            for name in record:
                if name not in self._cells:
                    problems.unknown(index, str(name), self._names, absent)
        return tuple(values)

    def rows(self, records: Iterable[Mapping[str, object]], *, single: bool = False) -> list[tuple[Any, ...]]:
        """Return the rows of `records`, which are Python objects.

        Args:
            records: Mappings from names to values.
            single: Whether there is one only, so that messages need not number it.

        Raises:
            InputError: Rows do not fit; it lists every problem.
        """
        problems = Problems(single=single)
        rows: list[tuple[Any, ...]] = []
        for index, record in enumerate(records):
            if isinstance(record, Mapping):
                rows.append(self.row(index, record, take_object, problems))
            else:
                problems.not_record(index, quote(record))
        if problems.total:
            raise problems.error()
        return rows


def take_object(index: int, cell: Cell, value: object, problems: Problems) -> Value:
    """Return the Python object `value` as a value of `cell`; what is wrong is noted, and None returned."""
    value = plain(value)
    if value is None:
        if not cell.column.nullable:
            problems.null(index, cell)
        return None
    try:
        return cell.convert(value)
    except msgspec.ValidationError:
        problems.wrong(index, cell, value)
        return None


def plain(value: object) -> object:
    """Return `value` without numpy and pandas: None for NaN, NA and NaT, Python's own types for scalars.

    >>> plain(np.float32(0.5)), plain(float("nan")), plain(np.datetime64("2026-01-31T08:00"))
    (0.5, None, datetime.datetime(2026, 1, 31, 8, 0))
    """
    if value is None or type(value).__name__ in _NO_VALUE:
        return None
    if isinstance(value, np.datetime64):
        return value.astype("datetime64[us]").item()
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and math.isnan(value):
        return None
    to_datetime = getattr(value, "to_pydatetime", None)
    try:
        return value if to_datetime is None else to_datetime(warn=False)
    except ValueError:  # pandas knows years that Python does not
        return str(value)


def _is_container(value: object) -> bool:
    """Return whether a value, or the JSON of one, holds others: then it may be the record itself."""
    if isinstance(value, msgspec.Raw):
        return bytes(value)[:1] in {b"{", b"["}
    return isinstance(value, (Mapping, list, tuple))
