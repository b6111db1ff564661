"""Tables as people train on, made at random: what several tests of the signature draw from."""

from __future__ import annotations

import datetime as dt
import math
from typing import Any

import numpy as np
import pandas as pd
from hypothesis import strategies as st

from ekiben.signature import Signature

NAMES = st.one_of(
    st.sampled_from(
        ["age", "Air temperature [K]", "", "__class__", "c0", "self", "x'y", "日本", "a b", "type"]
    ),
    st.text(st.characters(codec="utf-8"), max_size=6),
)
TEXTS = st.text(st.characters(codec="utf-8"), max_size=5)
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
MOMENTS = st.datetimes(
    dt.datetime.fromisoformat("1700-01-01T00:00:00"), dt.datetime.fromisoformat("2200-01-01T00:00:00")
)
BERLIN = "Europe/Berlin"


def whole(bits: int, *, signed: bool = True) -> st.SearchStrategy[int]:
    top = 2 ** (bits - 1 if signed else min(bits, 63)) - 1
    return st.integers(-top - 1 if signed else 0, top)


VALUES: dict[str, st.SearchStrategy[Any]] = {
    "float64": FLOATS,
    "float32": st.floats(width=32, allow_nan=False, allow_infinity=False),
    "Float64": FLOATS,
    "int64": whole(64),
    "int8": whole(8),
    "uint16": whole(16, signed=False),
    "uint64": whole(64, signed=False),
    "Int64": whole(64),
    "UInt8": whole(8, signed=False),
    "bool": st.booleans(),
    "boolean": st.booleans(),
    "str": TEXTS,
    "string": TEXTS,
    "object": TEXTS,
    "category": TEXTS,
    "datetime64[us]": MOMENTS,
    "datetime64[ns]": MOMENTS,
    "datetime64[s]": MOMENTS.map(lambda moment: moment.replace(microsecond=0)),
    f"datetime64[us, {BERLIN}]": MOMENTS,
    "datetime64[us, UTC+02:00]": MOMENTS,
}
"""What values a column of a dtype may have."""

FULL = {"int64", "int8", "uint16", "uint64", "bool"}
"""The dtypes that cannot miss a value."""


@st.composite
def series(draw: st.DrawFn, rows: int) -> pd.Series:
    dtype = draw(st.sampled_from(sorted(VALUES)))
    values = VALUES[dtype]
    if dtype == "category":
        values = draw(st.sampled_from([TEXTS, whole(64), st.integers(0, 3), FLOATS, st.booleans()]))
    if dtype not in FULL and draw(st.booleans()):
        values = st.none() | values
    cells = draw(st.lists(values, min_size=rows, max_size=rows))
    return column(cells, dtype)


def column(cells: list[Any], dtype: str) -> pd.Series:
    """Return `cells` as a series of exactly that dtype."""
    if dtype.startswith("datetime64"):
        naive = pd.Series(np.array(cells, dtype="datetime64[us]"))
        if "," not in dtype:
            return naive.astype(dtype)
        return naive.dt.tz_localize("UTC").astype(dtype)
    if dtype == "category":
        known = list(dict.fromkeys(cell for cell in cells if cell is not None)) or ["none"]
        index = pd.Index(known)
        codes = [-1 if cell is None else index.get_loc(cell) for cell in cells]
        return pd.Series(pd.Categorical.from_codes(codes, categories=index))
    return pd.Series(cells, dtype=dtype)


@st.composite
def frames(draw: st.DrawFn, *, max_columns: int = 5, max_rows: int = 6) -> pd.DataFrame:
    names = draw(st.lists(NAMES, min_size=1, max_size=max_columns, unique=True))
    rows = draw(st.integers(1, max_rows))
    table = pd.DataFrame({index: draw(series(rows)) for index in range(len(names))})
    return table.set_axis(pd.Index(names, dtype="str"), axis=1)


def learn(frame: pd.DataFrame, **options: Any) -> Signature:
    """Return the signature of a model fitted on `frame`."""
    return Signature.infer(frame, [0.5] * len(frame), output="number", **options)


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of `frame` as a caller would write them, in JSON's own types."""
    made = [{} for _ in range(len(frame))]
    for name in frame:
        for record, value in zip(made, frame[name].tolist(), strict=True):
            record[name] = as_json(value)
    return made


def as_json(value: Any) -> Any:
    if value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, pd.Timestamp):
        # RFC 3339 has no offset with seconds, as zones had before 1900.
        return (value if value.tzinfo is None else value.tz_convert("UTC")).isoformat()
    return value


JSON_VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.integers(-3, 300),
    FLOATS,
    TEXTS,
    st.sampled_from(
        ["2026-01-31T08:00:00", "2026-01-31T08:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59"]
    ),
    st.just([]),
    st.just({"a": [1]}),
)


@st.composite
def mutated(draw: st.DrawFn, record: dict[str, Any]) -> dict[str, Any]:
    """Return `record` with values changed, columns left out and columns added."""
    changed = dict(record)
    for name in draw(st.lists(st.sampled_from(sorted(record)), max_size=3, unique=True)):
        if draw(st.booleans()):
            changed[name] = draw(JSON_VALUES)
        else:
            del changed[name]
    changed.update(draw(st.dictionaries(NAMES, JSON_VALUES, max_size=1)))
    return changed
