"""Cell: what one value of a column may be, compiled from the column: its type, its check, its words."""

from __future__ import annotations

import datetime as dt
import math
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
import numpy as np

from ekiben.errors import quote

if TYPE_CHECKING:
    from collections.abc import Callable

    from ekiben.signature.column import Category, Column, Value

INT64 = (-(2**63), 2**63 - 1)
"""The smallest and the largest integer that is taken; a narrower dtype takes less."""

MAX_SHOWN = 10
"""How many categories an error names."""


class Cell:
    """What one value of `column` may be; a missing value is looked at before.

    Args:
        column: The column.

    Attributes:
        type: The type that msgspec decodes into.
        check: What the type cannot say, as a function of the decoded value; None if the type says all.
        expected: What a value has to be, in words.

    >>> from ekiben.signature.column import Column
    >>> Cell(Column(name="age", kind="integer", dtype="int64", lower=0, unit="years")).expected
    'a whole number of at least 0 years'
    """

    __slots__ = ("_decoder", "check", "column", "expected", "type")

    def __init__(self, column: Column) -> None:
        self.column = column
        self.type = _type(column)
        self.check = _check(column)
        self.expected = _words(column)
        self._decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(self.type)

    def decode(self, raw: msgspec.Raw | bytes) -> Value:
        """Return the value that `raw`, one JSON value other than null, holds.

        Raises:
            msgspec.ValidationError: The column may not hold it.
        """
        return self._checked(self._decoder.decode(raw))

    def convert(self, value: object) -> Value:
        """Return `value`, a plain Python value other than None, as the decoder would have made it.

        Raises:
            msgspec.ValidationError: The column may not hold it.
        """
        if isinstance(value, float) and not math.isfinite(value):
            raise msgspec.ValidationError("not finite")
        if isinstance(value, float) and type(value) is not float:
            value = float(value)
        return self._checked(msgspec.convert(value, self.type))

    def _checked(self, value: Value) -> Value:
        if self.check is not None and not self.check(value):
            raise msgspec.ValidationError("outside what the column may hold")
        return value


def bounds(column: Column) -> tuple[float | None, float | None]:
    """Return the smallest and the largest number that `column` takes: what people stated, within its dtype.

    >>> from ekiben.signature.column import Column
    >>> bounds(Column(name="a", kind="integer", dtype="uint8", upper=99.5))
    (0, 99)
    """
    low, high = _dtype_bounds(column)
    lower, upper = column.lower, column.upper
    if column.kind == "integer":
        lower = None if lower is None else math.ceil(lower)
        upper = None if upper is None else math.floor(upper)
    return (
        lower if low is None or (lower is not None and lower > low) else low,
        upper if high is None or (upper is not None and upper < high) else high,
    )


def is_closed(column: Column) -> bool:
    """Return whether `column` takes its listed categories only."""
    return column.categories is not None and column.unseen == "error"


def _dtype_bounds(column: Column) -> tuple[float | None, float | None]:
    """Return what the dtype can hold; (None, None) for what JSON cannot exceed."""
    dtype = column.dtype.lower()
    if column.kind == "integer":
        if dtype.startswith(("int", "uint")):
            info = np.iinfo(dtype)
            return max(int(info.min), INT64[0]), min(int(info.max), INT64[1])
        return INT64
    if column.kind == "float" and dtype in {"float16", "float32"}:
        limit = float(np.finfo(dtype).max)
        return -limit, limit
    return None, None


def _type(column: Column) -> Any:
    kind = column.kind
    if kind == "category":
        return _category_type(column)
    if kind == "timestamp":
        return Annotated[dt.datetime, msgspec.Meta(tz=is_aware(column))]
    if kind in {"float", "integer"}:
        low, high = bounds(column)
        plain = float if kind == "float" else int
        return plain if low is high is None else Annotated[plain, msgspec.Meta(ge=low, le=high)]
    return bool if kind == "boolean" else str


def is_aware(column: Column) -> bool:
    """Return whether the timestamps of `column` have a time zone.

    >>> from ekiben.signature.column import Column
    >>> is_aware(Column(name="at", kind="timestamp", dtype="datetime64[us, UTC]"))
    True
    """
    return "," in column.dtype


def _category_type(column: Column) -> Any:
    categories = column.categories or ()
    if is_closed(column) and all(_is_literal(one) for one in categories):
        return Literal[categories]
    kinds = {type(one) for one in categories}
    if float in kinds:
        return float
    if int in kinds:
        whole = Annotated[int, msgspec.Meta(ge=INT64[0], le=INT64[1])]
        return whole if kinds == {int} else whole | str
    return str


def _is_literal(category: Category) -> bool:
    """Return whether a `typing.Literal` may hold it: floats and booleans it may not."""
    if type(category) is int:
        return INT64[0] <= category <= INT64[1]
    return isinstance(category, str)


def _check(column: Column) -> Callable[[Any], bool] | None:
    if is_closed(column) and not (
        column.kind == "category" and all(_is_literal(one) for one in column.categories or ())
    ):
        return frozenset(column.categories or ()).__contains__
    if column.kind == "timestamp":
        return _timestamp_check(column)
    return None


NANOSECOND_YEARS = (1678, 2261)
"""The first and the last whole year that fits into nanoseconds of 64 bits."""


def _timestamp_check(column: Column) -> Callable[[dt.datetime], bool] | None:
    """Return whether a timestamp fits into the dtype: near the years 1 and 9999 an offset can lead out."""
    if column.dtype.startswith("datetime64[ns"):
        first, last = NANOSECOND_YEARS
        return lambda value: first <= value.year <= last
    return (lambda value: 1 < value.year < dt.MAXYEAR) if is_aware(column) else None


def _words(column: Column) -> str:
    kind = column.kind
    if kind == "category":
        return _category_words(column)
    if kind == "boolean":
        return "true or false" if column.categories is None else _category_words(column)
    if kind == "text":
        return "a text"
    if kind == "timestamp":
        return _timestamp_words(column)
    return ("a number" if kind == "float" else "a whole number") + _range_words(column)


def _category_words(column: Column) -> str:
    categories = column.categories or ()
    if column.unseen == "pass":
        return "a text" if all(isinstance(one, str) for one in categories) else "a number"
    shown = ", ".join(quote(one) for one in categories[:MAX_SHOWN])
    rest = len(categories) - MAX_SHOWN
    return (shown if len(categories) == 1 else f"one of {shown}") + (f", … ({rest} more)" if rest > 0 else "")


def _timestamp_words(column: Column) -> str:
    years = ""
    if column.dtype.startswith("datetime64[ns"):
        years = f" in the years {NANOSECOND_YEARS[0]} to {NANOSECOND_YEARS[1]}"
    if is_aware(column):
        return f'an ISO 8601 timestamp with its offset{years}, such as "2026-01-31T08:00:00+01:00"'
    return f'an ISO 8601 timestamp without an offset{years}, such as "2026-01-31T08:00:00"'


def _range_words(column: Column) -> str:
    low, high = bounds(column)
    if column.dtype.lower() in {"int64", "uint64"} or column.kind == "float":
        # What 64 bits hold is not worth a word, unless someone stated a limit.
        low = low if column.lower is not None or low == 0 else None
        high = high if column.upper is not None else None
    elif (low, high) == INT64:
        return ""
    unit = f" {column.unit}" if column.unit else ""
    if low is not None and high is not None:
        return f" from {number(low)} to {number(high)}{unit}"
    if low is not None:
        return f" of at least {number(low)}{unit}"
    return "" if high is None else f" of at most {number(high)}{unit}"


def number(value: float) -> str:
    """Return `value` without a useless fraction.

    >>> number(3.0), number(0.25)
    ('3', '0.25')
    """
    return (
        str(int(value)) if math.isfinite(value) and value == int(value) and abs(value) < 1e15 else repr(value)
    )
