"""Selection: which columns say something, and which are left out."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pandas as pd

from ekiben.fit.conversion import is_text, is_truth
from ekiben.fit.numbers import MOST_EXACT, resemblance

if TYPE_CHECKING:
    from collections.abc import Collection

_ID_WORDS = {"id", "uid", "uuid", "guid", "key", "index", "idx", "rowid", "no", "nr", "num", "number"}
_FEWEST = 10
"""Below this number of rows nothing is called an identifier: a few values are distinct by chance."""
_FEWEST_VALUES, _LEAST_FILLED = 10, 0.1
"""A column with fewer values than this, in less than this share of the rows, can be checked by nothing."""


def select(frame: pd.DataFrame, keep: Collection[str] = ()) -> tuple[pd.DataFrame, list[str]]:
    """Leave out the columns that can teach a model nothing.

    Args:
        frame: Converted columns (`ekiben.fit.conversion`), without the target.
        keep: Names of columns that stay in any case.

    Returns:
        The columns that stay, in their order, and a sentence for each one that does not.
    """
    stays: list[str] = []
    notes: list[str] = []
    seen: dict[int, list[str]] = {}
    for name in frame.columns:
        column = frame[name]
        reason = None if name in keep else _useless(column) or _repeats(frame, column, seen)
        if reason:
            notes.append(f"{name!r} is left out: {reason}")
        else:
            stays.append(name)
    return frame[stays], notes


def is_identifier(column: pd.Series) -> bool:
    """Return whether a column only names its rows.

    That is: integers that count up by one or that are beyond 2^53, text that is different in every row, or any values different in every row
    under a name such as `id`, `customerID` or `row number`. Measurements (floats) are no identifiers, however distinct.

    >>> import pandas as pd
    >>> is_identifier(pd.Series(range(100), name="UDI"))
    True
    >>> is_identifier(pd.Series([n * 7 for n in range(100)], name="turnover"))
    False
    >>> is_identifier(pd.Series([n * 7 for n in range(100)], name="customerID"))
    True
    """
    whole = pd.api.types.is_integer_dtype(column.dtype)
    if len(column) < _FEWEST or not (whole or is_text(column)) or column.isna().any() or not column.is_unique:
        return False
    if is_text(column):
        return True
    low, high = int(column.min()), int(column.max())
    return (
        high - low == len(column) - 1
        or max(-low, high) > MOST_EXACT
        or _named_as_identifier(str(column.name))
    )


def most_categories(rows: int) -> int:
    """Return how many different texts a column may hold, in a table of so many rows, to be taken as categories.

    >>> most_categories(100), most_categories(10_000), most_categories(1_000_000)
    (20, 500, 500)
    """
    return min(500, max(20, rows // 10))


def _named_as_identifier(name: str) -> bool:
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", name)
    return any(word.casefold() in _ID_WORDS for word in (words[:1] + words[-1:]))


def _useless(column: pd.Series) -> str | None:
    present = int(column.notna().sum())
    if present == 0:
        return "every value is missing"
    if present < min(_FEWEST_VALUES, _LEAST_FILLED * len(column)):
        return f"it has {present:,} value{'' if present == 1 else 's'} in {len(column):,} rows"
    if column.dtype.kind not in "ifbM" and not is_text(column) and not is_truth(column):
        kinds = sorted({type(value).__name__ for value in column.dropna().head(100)})
        return f"no model here takes values of its kind ({', '.join(kinds)})"
    if (column == column.iloc[0]).all():
        return f"it is {column.iloc[0]!s} in every row"
    if is_identifier(column):
        reason = "it names the rows (each value stands once), which says nothing about a new row"
    elif is_text(column) and (different := column.nunique()) > (most := most_categories(len(column))):
        reason = f"it is free text ({different:,} different values; up to {most} are taken as categories)"
    else:
        return None
    like = resemblance(column) if is_text(column) else None
    return f"it {like}" if like else reason


def _repeats(frame: pd.DataFrame, column: pd.Series, seen: dict[int, list[str]]) -> str | None:
    """Return the reason if an earlier column holds the same values; `seen` finds it by a sum of their hashes."""
    digest = int(pd.util.hash_pandas_object(column, index=False).to_numpy().sum())
    for earlier in seen.get(digest, ()):
        if frame[earlier].equals(column):
            return f"it repeats {earlier!r} value by value"
    seen.setdefault(digest, []).append(str(column.name))
    return None
