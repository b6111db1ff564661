"""Check: a frame from a file or a caller, looked through a column at a time; the twin of the decoder."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Literal

import msgspec
import numpy as np
import pandas as pd
from pandas.api import types

from ekiben.signature.cell import INT64, NANOSECOND_YEARS, bounds, is_aware, is_closed
from ekiben.signature.checked import Checked
from ekiben.signature.frame import assembler, gather
from ekiben.signature.problems import Problems
from ekiben.signature.records import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from ekiben.errors import Problem
    from ekiben.signature.cell import Cell
    from ekiben.signature.column import Category, Column

    Array = np.ndarray[Any, Any]

Family = Literal["float", "integer", "boolean", "text", "timestamp", "zoned", "object"]


def check_frame(
    frame: pd.DataFrame, cells: Mapping[str, Cell], extra: str, passthrough: Collection[str] = ()
) -> Checked:
    """Return the rows of `frame` that fit `cells`, and what is wrong with the others.

    Args:
        frame: Any rows.
        cells: What each column may hold, by its name.
        extra: What to do with a column that is not among them.
        passthrough: Columns that are left alone, and are not in the result.

    Raises:
        InputError: A column is missing, unknown, or stands twice: no row can be checked.
    """
    _check_names(frame, cells, extra, passthrough)
    wrong = np.zeros(len(frame), dtype=bool)
    found: dict[int, list[Problem]] = {}
    arrays: list[tuple[Column, Array, Array]] = []
    problems = Problems(limit=None)
    for name, cell in cells.items():
        values, missing, bad = _check_column(cell, frame[name]) if name in frame else _absent(len(frame))
        if not cell.column.nullable:
            for row in np.flatnonzero(missing).tolist():
                problems.null(row, cell)
        for row in np.flatnonzero(bad).tolist():
            problems.wrong(row, cell, plain(frame[name].iloc[row]))
        wrong |= bad if cell.column.nullable else bad | missing
        arrays.append((cell.column, values, missing))
    for problem in problems.found:
        found.setdefault(problem.row or 0, []).append(problem)
    right = ~wrong
    columns = {
        index: assembler(column)(values[right], missing[right])
        for index, (column, values, missing) in enumerate(arrays)
    }
    positions = np.flatnonzero(right)
    made = pd.DataFrame(columns, index=pd.RangeIndex(len(positions)))
    return Checked(
        made.set_axis(pd.Index(list(cells), dtype="str"), axis=1), positions, dict(sorted(found.items()))
    )


def _check_names(
    frame: pd.DataFrame, cells: Mapping[str, Cell], extra: str, passthrough: Collection[str]
) -> None:
    names = list(frame.columns)
    problems = Problems()
    absent = [name for name in cells if name not in names]
    for name in absent:
        if not cells[name].column.nullable:
            problems.absent(None, cells[name])
    seen: set[object] = set()
    for name in names:
        if name in seen and name in cells:
            problems.other(None, str(name), f"column {name!r} stands more than once; expected it once")
        elif extra == "error" and name not in cells and name not in passthrough:
            problems.unknown(None, str(name), list(cells), absent)
        seen.add(name)
    if problems.total:
        raise problems.error()


def _absent(rows: int) -> tuple[Array, Array, Array]:
    return np.full(rows, None, dtype=object), np.ones(rows, dtype=bool), np.zeros(rows, dtype=bool)


def _check_column(cell: Cell, series: pd.Series[Any]) -> tuple[Array, Array, Array]:
    """Return the values as `gather` has them, which are missing, and which are wrong."""
    family, values, missing = read(series)
    column = cell.column
    if family == "object" or (family == "text" and column.kind == "timestamp"):
        return _one_by_one(cell, values, missing)
    taken, bad = _TAKERS[column.kind](column, family, values)
    return taken, missing, bad & ~missing


def read(series: pd.Series[Any]) -> tuple[Family, Array, Array]:
    """Return what family `series` is of, its values as numpy has them, and which are missing.

    What stands where a value is missing means nothing.
    """
    missing = series.isna().to_numpy(dtype=bool)
    if isinstance(series.dtype, pd.CategoricalDtype) and len(series.dtype.categories):
        family, known, _ = read(pd.Series(series.dtype.categories))
        return family, known[np.maximum(series.cat.codes.to_numpy(), 0)], missing
    family = _family(series)
    if family == "zoned":
        return family, series.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy(), missing
    if family == "timestamp":
        return family, series.to_numpy(), missing
    if family in _NOTHING:
        wide = np.uint64 if types.is_unsigned_integer_dtype(series.dtype) else _WIDE[family]
        return family, series.to_numpy(dtype=wide, na_value=_NOTHING[family]), missing
    return family, series.to_numpy(dtype=object), missing


_NOTHING: dict[str, float] = {"boolean": False, "integer": 0, "float": np.nan}
_WIDE: dict[str, type[np.generic]] = {"boolean": np.bool_, "integer": np.int64, "float": np.float64}


def _family(series: pd.Series[Any]) -> Family:
    dtype = series.dtype
    if isinstance(dtype, pd.StringDtype):
        return "text"
    if isinstance(dtype, (pd.ArrowDtype, pd.SparseDtype, pd.CategoricalDtype)):
        return "object"
    for test, family in _TESTS:
        if test(dtype):
            return family
    return "text" if types.infer_dtype(series, skipna=True) == "string" else "object"


_TESTS: tuple[tuple[Callable[[Any], bool], Family], ...] = (
    (lambda dtype: isinstance(dtype, pd.DatetimeTZDtype), "zoned"),
    (types.is_datetime64_dtype, "timestamp"),
    (types.is_bool_dtype, "boolean"),
    (types.is_integer_dtype, "integer"),
    (types.is_float_dtype, "float"),
)


def _one_by_one(cell: Cell, values: Array, missing: Array) -> tuple[Array, Array, Array]:
    """Check Python objects, and texts that may be timestamps, each by itself."""
    taken: list[Any] = [None] * len(values)
    bad = np.zeros(len(values), dtype=bool)
    for row in np.flatnonzero(~missing).tolist():
        try:
            taken[row] = cell.convert(_as_written(cell.column, plain(values[row])))
        except msgspec.ValidationError:
            bad[row] = True
    made, _ = gather(cell.column, taken)
    return made, missing, bad


def _as_written(column: Column, value: object) -> object:
    """Return `value`; a date alone as its midnight, because that is how frames write midnights into CSV files."""
    if column.kind == "timestamp" and not is_aware(column) and isinstance(value, str) and len(value) == 10:
        try:
            return dt.datetime.combine(dt.date.fromisoformat(value), dt.time())
        except ValueError:
            return value
    if column.kind == "integer" and isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def _all_bad(values: Array) -> Array:
    return np.ones(len(values), dtype=bool)


def _outside(column: Column, values: Array) -> Array:
    low, high = bounds(column)
    outside = np.zeros(len(values), dtype=bool)
    if low is not None:
        outside |= values < low
    if high is not None:
        outside |= values > high
    return outside


def _take_float(column: Column, family: Family, values: Array) -> tuple[Array, Array]:
    if family not in {"float", "integer"}:
        return np.zeros(len(values)), _all_bad(values)
    numbers = values.astype(np.float64)
    return numbers, np.isinf(numbers) | _outside(column, numbers)


def _take_integer(column: Column, family: Family, values: Array) -> tuple[Array, Array]:
    whole, bad = _as_integers(family, values)
    return whole, bad | _outside(column, whole)


def _as_integers(family: Family, values: Array) -> tuple[Array, Array]:
    """Return the values as int64, and which of them are no such integers."""
    if family == "integer":
        bad = values > INT64[1] if values.dtype == np.uint64 else np.zeros(len(values), dtype=bool)
        return np.where(bad, 0, values).astype(np.int64), bad
    if family != "float":
        return np.zeros(len(values), dtype=np.int64), _all_bad(values)
    # 2**63 as a float is one too many; NaN is missing, and not looked at.
    bad = ~((values == np.round(values)) & (values >= float(INT64[0])) & (values < float(2**63)))
    return np.where(bad, 0, values).astype(np.int64), bad


def _take_boolean(column: Column, family: Family, values: Array) -> tuple[Array, Array]:
    if family != "boolean":
        return np.zeros(len(values), dtype=bool), _all_bad(values)
    allowed = column.categories
    return values, np.zeros(len(values), dtype=bool) if allowed is None else ~np.isin(values, allowed)


def _take_text(column: Column, family: Family, values: Array) -> tuple[Array, Array]:
    del column
    return values, np.zeros(len(values), dtype=bool) if family == "text" else _all_bad(values)


def _take_timestamp(column: Column, family: Family, values: Array) -> tuple[Array, Array]:
    if family != ("zoned" if is_aware(column) else "timestamp"):
        return np.full(len(values), np.datetime64("NaT", "us")), _all_bad(values)
    first, last = (1, dt.MAXYEAR)
    if column.dtype.startswith("datetime64[ns"):
        first, last = NANOSECOND_YEARS
    years = values.astype("datetime64[Y]").astype(np.int64) + 1970
    bad = (years < first) | (years > last)
    return np.where(bad, np.datetime64("NaT"), values), bad


def _take_category(column: Column, family: Family, values: Array) -> tuple[Array, Array]:
    categories = column.categories or ()
    kinds = {type(one) for one in categories}
    known: list[Category]
    bad = np.zeros(len(values), dtype=bool)
    if family == "text" and str in kinds:
        known = [one for one in categories if isinstance(one, str)]
    elif family in {"integer", "float"} and float in kinds:
        known, values = list(categories), values.astype(np.float64)
        bad = np.isinf(values)
    elif family in {"integer", "float"} and int in kinds:
        known = [one for one in categories if isinstance(one, int)]
        values, bad = _as_integers(family, values)
    else:
        return np.full(len(values), None, dtype=object), _all_bad(values)
    if is_closed(column):
        dtype = object if family == "text" else values.dtype
        bad = bad | (pd.Index(known, dtype=dtype).get_indexer(pd.Index(values, dtype=dtype)) < 0)
    return values, bad


_TAKERS = {
    "float": _take_float,
    "integer": _take_integer,
    "boolean": _take_boolean,
    "category": _take_category,
    "text": _take_text,
    "timestamp": _take_timestamp,
}
