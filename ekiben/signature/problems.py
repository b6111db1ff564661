"""Problems: what is wrong with rows, found by the decoder and by the checks of frames, in the same words."""

from __future__ import annotations

import datetime as dt
import math
import sys
from typing import TYPE_CHECKING

from ekiben.errors import MAX_PROBLEMS, InputError, Problem, nearest, quote
from ekiben.signature.cell import is_aware

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from ekiben.signature.cell import Cell

MAX_COMPARED = 50_000
"""How many names are compared with misspelt ones in one request: a search for the nearest name is slow."""

MAX_COMPARED_CHARS = 100
"""A longer text is no misspelt name."""


class Problems:
    """The problems of one request or table.

    All are counted; the first `limit` are put into words.

    Args:
        single: Whether the request is one record, so that its messages need not number the row.
        limit: How many are kept; None for all.

    Attributes:
        found: The problems that are kept, in the order of their finding.
        total: How many there are in all.
    """

    def __init__(self, *, single: bool = False, limit: int | None = MAX_PROBLEMS) -> None:
        self.found: list[Problem] = []
        self.total = 0
        self._single = single
        self._limit = limit
        self._compared = 0
        self._near: dict[tuple[str, str], str | None] = {}

    def error(self) -> InputError:
        """Return the error that lists them."""
        return InputError(self.found, self.total)

    def absent(self, row: int | None, cell: Cell) -> None:
        """Note that a column which has to be there is not."""
        if self._is_listed():
            name = cell.column.name
            text = f"column {name!r} is missing; expected {cell.expected}"
            self._add(text, row, name, expected=cell.expected)

    def null(self, row: int | None, cell: Cell) -> None:
        """Note that a value is missing in a column that may not miss one."""
        if self._is_listed():
            name = cell.column.name
            text = f"column {name!r} is null, but may not be missing; expected {cell.expected}"
            self._add(text, row, name, given="null", expected=cell.expected)

    def wrong(self, row: int | None, cell: Cell, value: object, given: str | None = None) -> None:
        """Note that `value`, which reads `given`, is not what the column may hold."""
        if not self._is_listed():
            return
        name = cell.column.name
        if given is None:
            given = repr(value) if isinstance(value, float) and not math.isfinite(value) else quote(value)
        near = self._nearest_category(cell, value)
        advice = f"; did you mean {quote(near)}?" if near is not None else _advice(cell, value, given)
        text = f"column {name!r} is {given}; expected {cell.expected}{advice}"
        self._add(text, row, name, given=given, expected=cell.expected, near=near)

    def unknown(self, row: int | None, name: str, names: Sequence[str], absent: Collection[str] = ()) -> None:
        """Note a column that the signature, which has `names`, does not know; it may stand for an absent one."""
        if not self._is_listed():
            return
        near = self._nearest("absent", name, absent) or self._nearest("names", name, names)
        shown = ", ".join(map(repr, names[:10])) + (", …" if len(names) > 10 else "")
        advice = f"did you mean {near!r}?" if near is not None else f"the columns are {shown}"
        self._add(f"unknown column {_short(name)!r}; {advice}", row, _short(name), near=near)

    def envelope(self, row: int, name: str) -> None:
        """Note that the record, or the list of records, stands inside of another one."""
        if self._is_listed():
            self._add(
                f"unknown column {_short(name)!r}; send what it holds without it around", row, _short(name)
            )

    def not_record(self, row: int, given: str) -> None:
        """Note a row that is no object."""
        if self._is_listed():
            expected = "an object that maps column names to values"
            self._add(f"the row is {given}; expected {expected}", row, None, given=given, expected=expected)

    def other(self, row: int | None, column: str | None, text: str) -> None:
        """Note what no other method says."""
        if self._is_listed():
            self._add(text, row, column)

    def _is_listed(self) -> bool:
        self.total += 1
        return self._limit is None or len(self.found) < self._limit

    def _add(
        self,
        text: str,
        row: int | None,
        column: str | None,
        *,
        given: str | None = None,
        expected: str | None = None,
        near: str | None = None,
    ) -> None:
        where = "" if row is None or self._single else f"row {row}: "
        self.found.append(Problem(where + text, row, column, given, expected, near))

    def _nearest_category(self, cell: Cell, value: object) -> str | None:
        categories = cell.column.categories
        if categories is None or cell.column.unseen == "pass" or not isinstance(value, str):
            return None
        return self._nearest(cell.column.name, value, [one for one in categories if isinstance(one, str)])

    def _nearest(self, where: str, given: str, known: Collection[str]) -> str | None:
        if not known or len(given) > MAX_COMPARED_CHARS:
            return None
        key = (where, given)
        if key not in self._near:
            self._compared += len(known)
            if self._compared > MAX_COMPARED:
                return None
            self._near[key] = nearest(given, known)
        return self._near[key]


def _short(name: str) -> str:
    return name if len(name) <= MAX_COMPARED_CHARS else name[: MAX_COMPARED_CHARS - 1] + "…"


def _advice(cell: Cell, value: object, given: str) -> str:
    """Return what to write instead, where the value is nearly right."""
    kind = cell.column.kind
    if kind in {"float", "integer"}:
        return _number_advice(kind, value, given)
    if kind == "boolean" and isinstance(value, (str, int)) and str(value).lower() in _BOOLEANS:
        quotes = ", without quotes" if isinstance(value, str) else ""
        return f"; write {_BOOLEANS[str(value).lower()]}{quotes}"
    if cell.expected == "a text" and isinstance(value, (int, float)):
        return "; write it in quotes"
    if kind == "timestamp" and isinstance(value, str):
        return _timestamp_advice(cell, value)
    return ""


_BOOLEANS = {"true": "true", "false": "false", "1": "true", "0": "false", "yes": "true", "no": "false"}


def _number_advice(kind: str, value: object, given: str) -> str:
    if isinstance(value, str):
        try:
            return "; write it without quotes" if math.isfinite(float(value)) else ""
        except ValueError:
            return ""
    if isinstance(value, float):
        if not math.isfinite(value):
            return "; it must be finite"
        return (
            f"; write {int(value)}" if kind == "integer" and value.is_integer() and abs(value) < 2**53 else ""
        )
    limit = 2**63 - 1 if kind == "integer" else sys.float_info.max
    is_large = isinstance(value, int) and abs(value) > limit
    return "; it is too large" if is_large or (value is None and given[:1] in "-123456789") else ""


def _timestamp_advice(cell: Cell, value: str) -> str:
    """Return what to write instead of a date alone, or of a time with the wrong kind of offset."""
    try:
        given = dt.datetime.fromisoformat(value)
    except ValueError:
        return ""
    if len(value) <= len("2026-01-31"):
        return f'; a date alone is not enough: "{given.date().isoformat()}T00:00:00"'
    if given.tzinfo is not None and not is_aware(cell.column):
        return f'; leave the offset out: "{given.replace(tzinfo=None).isoformat()}"'
    if given.tzinfo is None and is_aware(cell.column):
        return f'; say the offset: "{given.isoformat()}+00:00" if it is in UTC'
    return ""
