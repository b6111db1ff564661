"""Cells: what the texts of a CSV file are, column by column."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ekiben.fit.numbers import comma_numbers, numbers

if TYPE_CHECKING:
    import pandas as pd

MISSING_WORDS = ("NA", "N/A", "#N/A", "NaN", "nan", "NULL", "null")
"""What a cell may hold to say that nothing is there; an empty one says so too. `None` is a word of its own."""

_TRUTHS = {"True": True, "TRUE": True, "true": True, "False": False, "FALSE": False, "false": False}


def plain(texts: pd.Series, *, decimal_comma: bool = False) -> tuple[pd.Series, list[str]]:
    """Return a column of a CSV file as numbers or booleans if every cell is plainly that, else as text.

    Args:
        texts: The cells as they stand in the file; nothing is missing.
        decimal_comma: Whether `53,46` is a number: so in files whose cells are separated by semicolons.

    Returns:
        The column, and sentences on what is not self-evident in it.

    >>> import pandas as pd
    >>> plain(pd.Series(["1", "NA", ""], name="age"))
    (0    1.0
    1    NaN
    2    NaN
    Name: age, dtype: float64, ["'age': 'NA' taken as missing in 1 row"])
    """
    stripped = texts.str.strip()
    nothing = stripped.isin(("", *MISSING_WORDS))
    filled = stripped.mask(nothing)
    said: list[str] = []
    column = _truths(filled)
    if column is None:
        column = numbers(filled)
    if column is None and decimal_comma and (column := comma_numbers(filled)) is not None:
        example = str(filled[filled.str.contains(",", regex=False, na=False)].iloc[0])
        said.append(f"{texts.name!r}: commas are read as decimal points ({example!r} is {_pointed(example)})")
    if column is None:  # blanks around a text are a part of it
        nothing = texts.isin(("", *MISSING_WORDS))
        column, stripped = texts.mask(nothing), texts
    return column, said + _missing(stripped[nothing])


def _pointed(text: str) -> str:
    return text.replace(",", ".")


def _truths(filled: pd.Series) -> pd.Series | None:
    known = filled.isin(list(_TRUTHS))
    gaps = filled.isna()
    if not known.any() or not (known | gaps).all():
        return None
    values = filled.map(_TRUTHS, na_action="ignore").astype("object")
    return values.where(~gaps, np.nan) if gaps.any() else values.astype("bool")


def _missing(nothing: pd.Series) -> list[str]:
    """Return a sentence for each word that was taken as missing."""
    counts = nothing[nothing != ""].value_counts()
    return [
        f"{nothing.name!r}: {word!r} taken as missing in {count:,} row{'' if count == 1 else 's'}"
        for word, count in counts.items()
    ]
