"""Conversion: the cells of a column become numbers, booleans, timestamps or text, and the column says which.

Text stays text unless every cell is plainly something else: `" 12.5 "` is a number, a blank is missing, `2026-11-22` is
a date; `00501`, `1E5`, `1.200,50`, `3+`, `yes` and `22/11/2026` stay text, since another reading of them is possible.
"""

from __future__ import annotations

import datetime as dt
import decimal
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ekiben.fit.numbers import MOST_EXACT, NUMBER, doubt, numbers

if TYPE_CHECKING:
    from collections.abc import Callable

_DATE = r"\d{4}-\d{2}-\d{2}(?:[ T]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:?\d{2})?)?"
_OTHER_DATE = r"\d{1,2}[./-]\d{1,2}[./-]\d{2,4}(?:[ T].*)?"
_MOSTLY = 0.8
"""From this share of numbers on, a single other word without digits is taken to mean "missing"."""


def convert(column: pd.Series) -> tuple[pd.Series, list[str]]:
    """Return a column in one of the dtypes that models are fitted on, and sentences on what was done.

    Args:
        column: Any column of a frame.

    Returns:
        The column as `float64`, `int64`, `bool` (objects True, False and NaN where values are missing),
        `datetime64[us]` (with its zone, if it has one) or `str`, and the sentences. A column whose values are of a
        kind that no model here takes (lists, for example) comes back as it was.

    >>> import pandas as pd
    >>> convert(pd.Series([" 1", "2.5 ", "  "], name="price"))[1]
    ["'price': numbers written as text became numbers; 1 blank is missing"]
    """
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.astype(column.cat.categories.dtype)
    return _CONVERTERS[_kind(column)](column)


def _kind(column: pd.Series) -> str:
    """Return which of `_CONVERTERS` a column is for."""
    if isinstance(column.dtype, pd.StringDtype):
        return "text"
    if column.dtype.kind != "O":
        return _KIND_OF_DTYPE.get(column.dtype.kind, "other")
    held = {type(value) for value in column.dropna()}
    return next((kind for kind, types in _KIND_OF_OBJECTS.items() if held <= types), "other")


def is_text(column: pd.Series) -> bool:
    """Return whether a converted column holds text."""
    return bool(pd.api.types.is_string_dtype(column.dtype)) and column.dtype != object


def is_truth(column: pd.Series) -> bool:
    """Return whether a converted column holds booleans, some of them perhaps missing."""
    return column.dtype == bool or (
        column.dtype == object and {type(value) for value in column.dropna()} == {bool}
    )


def _truths(column: pd.Series) -> tuple[pd.Series, list[str]]:
    if not column.isna().any():
        return column.astype("bool"), []
    values = [np.nan if pd.isna(value) else bool(value) for value in column]
    return pd.Series(values, index=column.index, name=column.name, dtype="object"), []


def _numbers(column: pd.Series) -> tuple[pd.Series, list[str]]:
    if column.dtype == object and any(isinstance(value, int) and abs(value) > MOST_EXACT for value in column):
        return _mixed(column)
    if column.dtype.kind not in "iu" or column.isna().all():
        return column.astype("float64"), []
    said = []
    if max(abs(int(column.max())), abs(int(column.min()))) > MOST_EXACT:
        said.append(f"{column.name!r}: whole numbers beyond 2^53 are only seen rounded by a model")
    fits = column.max() <= np.iinfo(np.int64).max and not column.isna().any()
    return column.astype("int64" if fits else "float64"), said


def _timestamps(column: pd.Series) -> tuple[pd.Series, list[str]]:
    if column.dtype == object:
        aware = any(getattr(value, "tzinfo", None) is not None for value in column.dropna())
        column = pd.to_datetime(column, utc=aware)
    zone = getattr(column.dtype, "tz", None)
    return column.astype("datetime64[us]" if zone is None else pd.DatetimeTZDtype("us", zone)), []


def _mixed(column: pd.Series) -> tuple[pd.Series, list[str]]:
    return _from_text(column.map(str, na_action="ignore"))


def _from_text(column: pd.Series) -> tuple[pd.Series, list[str]]:
    """Return text as what it plainly is."""
    column = column.astype("str")
    stripped = column.str.strip()
    blank = (stripped == "").fillna(value=False).astype("bool")
    filled = stripped.mask(blank).dropna()
    blanks = f"; {_count(int(blank.sum()), 'blank')} {'is' if blank.sum() == 1 else 'are'} missing" * bool(
        blank.any()
    )
    text = column.mask(blank)
    if filled.empty:
        return text, []
    found = _read_numbers(stripped.mask(blank)) or _read_dates(stripped.mask(blank))
    if found is not None:
        return found[0], [f"{column.name!r}: {found[1]}{blanks}"]
    why = doubt(filled)
    if why is None and filled.str.fullmatch(_OTHER_DATE).all():
        advice = "write dates as YYYY-MM-DD to have them read"
        why = f"looks like dates, but day and month can be mistaken; it is taken as text ({advice})"
    said = f"{why or ''}{blanks}".removeprefix("; ")
    return text, [f"{column.name!r}: {said}"] if said else []


def _read_numbers(text: pd.Series) -> tuple[pd.Series, str] | None:
    """Return text as numbers, and what to say; None if it is something else."""
    found = numbers(text)
    if found is not None:
        return found, "numbers written as text became numbers"
    word = _word_among_numbers(text.dropna())
    found = None if word is None else numbers(text.mask(text == word))
    if found is None:
        return None
    refused = "leave such cells empty in rows to be predicted: there the word is refused"
    return found, f"numbers written as text became numbers; {word!r} is missing ({refused})"


def _read_dates(text: pd.Series) -> tuple[pd.Series, str] | None:
    """Return text as timestamps, and what to say; None if it is something else."""
    dates = _parse_dates(text) if text.dropna().str.fullmatch(_DATE).all() else None
    return None if dates is None else (_timestamps(dates)[0], "dates became timestamps")


def _parse_dates(text: pd.Series) -> pd.Series | None:
    zoned = bool(text.dropna().str.contains(r"(?:Z|[+-]\d{2}:?\d{2})$").any()) and bool(
        text.dropna().str.contains(":", regex=False).any()
    )
    try:
        return pd.to_datetime(text, format="ISO8601", utc=zoned)
    except ValueError:
        return None  # 2026-02-30 has the form of a date, and is none


def _word_among_numbers(filled: pd.Series) -> str | None:
    """Return the one word without digits that stands among numbers, if that is what the column holds."""
    numeric = filled.str.fullmatch(NUMBER)
    words = filled[~numeric].unique()
    if len(words) == 1 and numeric.mean() >= _MOSTLY and not any(sign.isdigit() for sign in words[0]):
        return str(words[0])
    return None


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


_KIND_OF_DTYPE = {"b": "boolean", "i": "number", "u": "number", "f": "number", "M": "timestamp"}
_KIND_OF_OBJECTS: dict[str, set[type]] = {
    "text": {str},
    "boolean": {bool, np.bool_},
    "number": {int, float, decimal.Decimal, np.int64, np.float64},
    "timestamp": {dt.date, dt.datetime, pd.Timestamp},
    "mixed": {str, bool, int, float},
}
_CONVERTERS: dict[str, Callable[[pd.Series], tuple[pd.Series, list[str]]]] = {
    "text": _from_text,
    "boolean": _truths,
    "number": _numbers,
    "timestamp": _timestamps,
    "mixed": _mixed,
    "other": lambda column: (column, []),
}
