"""Observed: what training saw of a column: its range, its quantiles, its typical value."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ekiben.errors import SignatureError
from ekiben.signature.cell import INT64
from ekiben.signature.column import QUANTILES
from ekiben.signature.records import plain

if TYPE_CHECKING:
    from ekiben.signature.column import Column, Kind


def observed(
    present: pd.Series[Any], kind: Kind, name: str
) -> tuple[float | str | None, float | str | None, tuple[float, ...]]:
    """Return the smallest and the largest value, and the quantiles of numbers."""
    if kind not in {"float", "integer", "timestamp"}:
        return None, None, ()
    ranked = _ranked(present, kind, name)
    if not len(ranked):
        return None, None, ()
    if kind == "timestamp":
        return _iso(ranked[0], present), _iso(ranked[-1], present), ()
    return float(ranked[0]), float(ranked[-1]), tuple(float(_at(ranked, share)) for share in QUANTILES)


def _ranked(present: pd.Series[Any], kind: Kind, name: str) -> np.ndarray[Any, Any]:
    """Return the finite values in their order; of timestamps with a zone, in UTC."""
    if kind == "timestamp":
        zone = getattr(present.dtype, "tz", None)
        return np.sort(
            (present if zone is None else present.dt.tz_convert("UTC").dt.tz_localize(None)).to_numpy()
        )
    if kind == "float":
        values = present.to_numpy(dtype=np.float64)
        return np.sort(values[np.isfinite(values)])
    for value in (present.min(), present.max()) if len(present) else ():
        if not INT64[0] <= value <= INT64[1]:
            raise SignatureError(
                f"column {name!r} holds {value}, beyond 64 bits; turn it into a float or a text"
            )
    if bool((present % 1 != 0).any()):
        raise SignatureError(
            f"column {name!r} holds {present[present % 1 != 0].iloc[0]}; expected whole numbers"
        )
    return np.sort(present.to_numpy(dtype=np.int64))


def _at(ranked: np.ndarray[Any, Any], share: float) -> Any:
    """Return the smallest value that at least `share` of all do not exceed: one that was really seen."""
    return ranked[max(0, int(np.ceil(share * len(ranked))) - 1)]


def _iso(value: np.datetime64, present: pd.Series[Any]) -> str:
    try:
        moment: dt.datetime = pd.Timestamp(value).to_pydatetime(warn=False)
    except (ValueError, OverflowError):
        raise SignatureError(
            f"column {present.name!r} holds {value}, outside of the years 1 to 9999"
        ) from None
    zone = getattr(present.dtype, "tz", None)
    if zone is None:
        return moment.isoformat()
    local = moment.replace(tzinfo=dt.UTC).astimezone(zone)
    offset = local.utcoffset() or dt.timedelta()
    # Before 1900 offsets had seconds, which RFC 3339 cannot write.
    return (local if offset.total_seconds() % 60 == 0 else local.astimezone(dt.UTC)).isoformat()


def typical(present: pd.Series[Any], column: Column) -> Any:
    """Return the typical value of `column` as JSON has it: the median, or the most frequent; None if none is present."""
    if column.kind in {"float", "integer", "timestamp"}:
        ranked = _ranked(present, column.kind, column.name)
        if len(ranked):
            middle = _at(ranked, 0.5)
            return _iso(middle, present) if column.kind == "timestamp" else middle.item()
    elif len(present):
        counts = present.value_counts(sort=False)
        if column.categories is not None:
            counts = counts[counts.index.isin(column.categories)]
        if len(counts):
            most = counts.index[counts == counts.max()].tolist()
            return plain(min(most, key=lambda one: (str(type(one)), one)))
    if column.nullable:
        return None
    return {"float": 0.0, "integer": 0}.get(column.kind)
