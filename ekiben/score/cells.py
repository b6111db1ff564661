"""Cells: what the texts of a CSV file mean, by the columns of the signature; nothing is guessed from the data.

What is plainly a value of the column's kind becomes one; anything else stays the text that it is, and the check of the
frame refuses it in the same words as the server would.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from ekiben.signature.cell import is_aware

if TYPE_CHECKING:
    from collections.abc import Callable

    from ekiben.signature import Column

MISSING_WORDS = ("NA", "N/A", "#N/A", "NaN", "nan", "NULL", "null")
"""What people and libraries write for a missing value; a blank is one in any case."""

_WHOLE = r"-?\d{1,18}"
_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_DECIMAL_COMMA = r"[+-]?(?:0|[1-9][0-9]*),[0-9]+(?:[eE][+-]?[0-9]+)?"
_NAIVE = r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}:\d{2}(?:\.\d{1,6})?)?"
_AWARE = r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(?:\.\d{1,6})?(?:Z|[+-]\d{2}:\d{2})"
_ANY_TIME = r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?"
_TRUTHS = {"true": True, "false": False, "1": True, "0": False}

_is_any_whole = re.compile(r"[+-]?\d+").fullmatch
_is_number = re.compile(_NUMBER).fullmatch
_is_time = re.compile(_ANY_TIME).fullmatch


def read_cells(texts: Any, column: Column, *, decimal_comma: bool = False) -> pd.Series[Any]:
    """Return the cells of one column.

    Args:
        texts: An Arrow array of text; an empty cell is null.
        column: What the model takes there.
        decimal_comma: Whether `53,46` is a number, too: so in files whose cells are separated by semicolons.

    Returns:
        As many values, of the dtype that fits the kind where all cells do, else objects.

    >>> from ekiben.signature import Column
    >>> read_cells(pa.chunked_array([[" 12.5", "NA", None]]), Column(name="a", kind="float", dtype="float64")).tolist()
    [12.5, nan, nan]
    """
    stripped = pc.utf8_trim_whitespace(texts)
    if column.kind == "text" or _has_text_categories(column):
        return _as_series(pc.if_else(_is_missing_text(texts, stripped, column), None, texts))
    missing = pc.or_(pc.equal(stripped, ""), pc.is_in(stripped, pa.array(MISSING_WORDS)))
    filled = pc.if_else(pc.fill_null(missing, fill_value=True), None, stripped)
    if column.kind == "boolean":
        return _truths(filled)
    if column.kind == "timestamp":
        return _timestamps(filled, aware=is_aware(column))
    if decimal_comma:
        comma = pc.match_substring_regex(filled, rf"\A{_DECIMAL_COMMA}\z")
        filled = pc.if_else(comma, pc.replace_substring(filled, ",", "."), filled)
    whole = column.kind == "integer" or (
        column.kind == "category" and not any(isinstance(one, float) for one in column.categories or ())
    )
    found = _all_as(filled, _WHOLE, pa.int64()) if whole else _all_as(filled, _NUMBER, pa.float64())
    return _one_by_one(filled, _whole if whole else _number) if found is None else found


def _has_text_categories(column: Column) -> bool:
    return column.kind == "category" and any(isinstance(one, str) for one in column.categories or ())


def _is_missing_text(texts: Any, stripped: Any, column: Column) -> Any:
    """Return which texts are missing: blanks, and words for "nothing" where the column may miss values."""
    words = MISSING_WORDS if column.nullable else ()
    missing = pc.or_(pc.equal(stripped, ""), pc.is_in(texts, pa.array(words, pa.string())))
    known = pc.is_in(
        texts, pa.array([one for one in column.categories or () if isinstance(one, str)], pa.string())
    )
    return pc.fill_null(pc.and_not(missing, known), fill_value=True)


def _all_as(texts: Any, pattern: str, kind: Any) -> pd.Series[Any] | None:
    """Return all texts as `kind` if they have the form `pattern`; None if one does not."""
    matched = pc.match_substring_regex(texts, rf"\A(?:{pattern})\z")
    if pc.all(matched, min_count=0).as_py() is False:
        return None
    try:
        return _as_series(pc.cast(texts, kind))
    except pa.ArrowInvalid:  # the form is right and the value is not: the 30th of February
        return None


def _as_series(array: Any) -> pd.Series[Any]:
    if pa.types.is_string(array.type):
        return pd.Series(array.to_numpy(zero_copy_only=False), dtype=object)
    kinds = {pa.int64(): pd.Int64Dtype(), pa.bool_(): pd.BooleanDtype()}
    series: pd.Series[Any] = array.to_pandas(types_mapper=kinds.get if array.null_count else None)
    return series


def _one_by_one(texts: Any, read: Callable[[str], Any]) -> pd.Series[Any]:
    cells = [None if text is None else read(text) for text in texts.to_pylist()]
    return pd.Series(cells, dtype=object)


def _whole(text: str) -> Any:
    if _is_any_whole(text):
        return int(text) if len(text) < 40 else float(text)
    number = _number(text)
    return (
        int(number) if isinstance(number, float) and number.is_integer() and abs(number) < 2**53 else number
    )


def _number(text: str) -> Any:
    """Return a number if `text` is one; infinity too, so that it is refused as that."""
    if _is_number(text):
        return float(text)
    try:
        value = float(text)
    except ValueError:
        return text
    return value if math.isinf(value) else text


def _truths(texts: Any) -> pd.Series[Any]:
    lowered = pc.utf8_lower(texts)
    known = pc.is_in(lowered, pa.array(list(_TRUTHS)))
    if pc.all(pc.or_(known, pc.is_null(texts)), min_count=0).as_py():
        return _as_series(pc.if_else(pc.is_null(texts), None, pc.is_in(lowered, pa.array(["true", "1"]))))
    return _one_by_one(texts, lambda text: _TRUTHS.get(text.lower(), text))


def _timestamps(texts: Any, *, aware: bool) -> pd.Series[Any]:
    found = (
        _all_as(texts, _AWARE, pa.timestamp("us", "UTC"))
        if aware
        else _all_as(texts, _NAIVE, pa.timestamp("us"))
    )
    return _one_by_one(texts, _time) if found is None else found


def _time(text: str) -> Any:
    if not _is_time(text):
        return text
    try:
        return dt.datetime.fromisoformat(text)
    except ValueError:
        return text
