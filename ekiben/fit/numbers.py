"""Numbers: which texts are plainly numbers, and what those look like that are nearly so."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST_EXACT = 2**53
"""The largest whole number up to which float64, which models work with, holds every one."""

NUMBER = r"[+-]?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
_INFINITE = r"[+-]?(?i:inf|infinity)"
_WHOLE = r"[+-]?(?:0|[1-9][0-9]*)"
_CODE = r"[0-9]+[eE][0-9]+"
_DECIMAL_COMMA = r"[+-]?(?:0|[1-9][0-9]*),[0-9]+(?:[eE][+-]?[0-9]+)?"
_THOUSANDS = r"[+-]?[1-9][0-9]{0,2}(?:,[0-9]{3})+(?:\.[0-9]*)?"
_DIGITS = r"[+-]?[0-9][0-9.,]*"
_MOSTLY = 0.8

_RESEMBLANCES = (
    (_THOUSANDS, "numbers with commas between the thousands", "without the commas"),
    (r"[+-]?[0-9][0-9.]*,[0-9]+", "numbers with a decimal comma", "with a point"),
    (rf"(?:{_DIGITS} ?[%€$£¥°]|{_DIGITS} ?[A-Za-z€$£]{{1,5}})", "numbers with a unit", "without it"),
    (rf"(?:[€$£¥]|[A-Z]{{3}} ) ?{_DIGITS}", "numbers with a currency", "without it"),
)


def numbers(texts: pd.Series) -> pd.Series | None:
    """Return texts as numbers, if every one is plainly that.

    Args:
        texts: Text without blanks around it; missing where nothing is there.

    Returns:
        int64 or float64; None if a text is something else, or can be (`00501`, `1E5`), or if whole numbers are so long
        that float64 could not tell them apart.

    >>> numbers(pd.Series(["1", "2.5"])).tolist()
    [1.0, 2.5]
    >>> numbers(pd.Series(["01", "2"])) is None
    True
    """
    filled = texts.dropna()
    finite = filled.str.fullmatch(NUMBER)
    if filled.empty or not finite.any():
        return None
    if not finite.all():
        return _floats(texts) if filled[~finite].str.fullmatch(_INFINITE).all() else None
    if filled.str.fullmatch(_WHOLE).all():
        if _is_too_long(filled):
            return None
        return texts.astype("int64") if len(filled) == len(texts) else _floats(texts)
    if not filled.str.contains(".", regex=False).any() and filled.str.fullmatch(_CODE).any():
        return None
    return _floats(texts)


def comma_numbers(texts: pd.Series) -> pd.Series | None:
    """Return texts as numbers, if every one is a number with a decimal comma, or a whole one.

    >>> comma_numbers(pd.Series(["53,46", "7"])).tolist()
    [53.46, 7.0]
    """
    filled = texts.dropna()
    with_comma = filled.str.fullmatch(_DECIMAL_COMMA)
    if not with_comma.any() or not filled[~with_comma].str.fullmatch(f"{_WHOLE}|{_INFINITE}").all():
        return None
    return _floats(texts.str.replace(",", ".", regex=False))


def doubt(texts: pd.Series) -> str | None:
    """Return why texts that all look like numbers are not read as such; None if they do not.

    >>> doubt(pd.Series(["1E5", "2E7"]))
    "'1E5' can be a number or a code: it is taken as text (1.0E5 would be a number)"
    """
    filled = texts.dropna()
    if filled.empty or not filled.str.fullmatch(NUMBER).all():
        return None
    code = filled[filled.str.fullmatch(_CODE)]
    if len(code):
        written = str(code.iloc[0])
        would = written.upper().replace("E", ".0E")
        return f"{written!r} can be a number or a code: it is taken as text ({would} would be a number)"
    return (
        "its whole numbers are longer than a model can tell apart (beyond 2^53): they are taken as text"
        if _is_too_long(filled)
        else None
    )


def resemblance(texts: pd.Series) -> str | None:
    """Return what texts look like that are nearly numbers, and what to do; None if they do not.

    >>> resemblance(pd.Series(["53.46 EUR", "7.10 EUR"]))
    "looks like numbers with a unit ('53.46 EUR'): write them without it to have them read"
    """
    filled = texts.dropna().str.strip()
    if filled.empty:
        return None
    plain = filled.str.fullmatch(NUMBER)
    for pattern, words, remedy in _RESEMBLANCES:
        like = filled.str.fullmatch(pattern)
        if like.any() and (like | plain).mean() >= _MOSTLY:
            return f"looks like {words} ({filled[like].iloc[0]!r}): write them {remedy} to have them read"
    return None


def _is_too_long(filled: pd.Series) -> bool:
    long: Sequence[str] = filled[filled.str.len() > len(str(MOST_EXACT)) - 1].tolist()
    return any(abs(int(text)) > MOST_EXACT for text in long if len(text) < 1000) or any(
        len(text) >= 1000 for text in long
    )


def _floats(texts: pd.Series) -> pd.Series:
    """Return texts as float64, each the number nearest to what is written."""
    try:
        import pyarrow as pa  # noqa: PLC0415 - an optional library, much faster
        import pyarrow.compute as pc  # noqa: PLC0415 - as above

        read = pc.cast(pa.array(texts, pa.string(), from_pandas=True), pa.float64())
    except (ImportError, ValueError):  # ArrowInvalid is a ValueError: "+1" is no number to it
        return texts.astype("object").astype("float64")
    return pd.Series(read.to_numpy(zero_copy_only=False), index=texts.index, name=texts.name)
