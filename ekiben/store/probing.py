"""Probing: rows that the signature lets through although training may not have seen their like, tried before the first caller does."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from ekiben.engine import NativeEngine
from ekiben.store.hearing import heard

if TYPE_CHECKING:
    from ekiben.artifact import Model
    from ekiben.signature import Signature
    from ekiben.signature.column import Column

_Row = tuple[Any, ...]


def probe(model: Model) -> None:
    """Warn of each column that may be missing, or hold a new category, although the estimator cannot take that.

    Args:
        model: A model that answers its typical row; one without is not probed.
    """
    if not model.signature.example:
        return
    engine = NativeEngine(model)
    odd = _odd_rows(model.signature)
    if not odd or _failure(engine, [row for _, _, row in odd]) is None:
        return
    for what, advice, row in odd:
        reason = _failure(engine, [row])
        if reason is not None:
            warnings.warn(
                f"{what}, but the estimator cannot answer such a row: {reason}; {advice}",
                UserWarning,
                stacklevel=4,
            )


def _odd_rows(signature: Signature) -> list[tuple[str, str, _Row]]:
    """Return the typical row with one odd value each: what it is, what to do if it is refused, and the row."""
    (typical,) = signature.check_records([signature.example])
    odd = []
    for index, column in enumerate(signature.columns):
        before, after, name = typical[:index], typical[index + 1 :], column.name
        if column.nullable:
            advice = f"let a SimpleImputer fill the column in, or say describe({name!r}, nullable=False)"
            odd.append((f"column {name!r} may be missing", advice, (*before, None, *after)))
        if column.unseen == "pass" and column.categories:
            advice = f"use OneHotEncoder(handle_unknown='ignore'), or say describe({name!r}, unseen='error')"
            odd.append((f"column {name!r} may hold a new category", advice, (*before, _new(column), *after)))
    return odd


def _new(column: Column) -> Any:
    """Return a category that the column does not list."""
    known = column.categories or ()
    if all(isinstance(one, bool) for one in known):
        return None  # no third one
    if isinstance(known[0], str):
        return max((str(one) for one in known), key=len) + "~"
    return max(one for one in known if not isinstance(one, str)) + 1


def _failure(engine: NativeEngine, rows: list[_Row]) -> str | None:
    """Return why the model does not answer rows; None if it does."""
    try:
        with heard():  # what it says about odd values is no news
            engine.predict_rows(rows, engine.signature.output.available)
    except Exception as error:  # noqa: BLE001 - whatever an estimator raises
        return f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
    return None
