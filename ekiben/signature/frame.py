"""Frame: rows as the pipeline was fitted on them, with the same dtypes."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from pandas.api import types

from ekiben.signature.cell import is_aware
from ekiben.signature.column import dtype_family

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ekiben.signature.column import Column

    Array = np.ndarray[Any, Any]

_EMPTY = {"float": 0.0, "integer": 0, "boolean": False}


class Framer:
    """Builds what a pipeline is fed, from rows.

    Args:
        columns: The columns of the signature.
        container: `pandas` for a frame, `numpy` for an array of the columns' common dtype.
    """

    def __init__(self, columns: Sequence[Column], container: str) -> None:
        self._columns = tuple(columns)
        self._names = pd.Index([column.name for column in columns], dtype="str")
        self._container = container
        self._dtype = common_dtype(columns)
        self._is_plain = all(
            column.kind == "float" and column.dtype == self._dtype and column.dtype.startswith("float")
            for column in columns
        )
        self._assemblers: tuple[Callable[[Array, Array], Any], ...] = tuple(map(assembler, columns))

    def build(self, rows: Sequence[tuple[Any, ...]]) -> Any:
        """Return `rows` as a frame of shape (rows, columns), or as an array if the container is numpy."""
        if self._container == "numpy":
            return self._array(rows)
        # A view of the names, because a pipeline may give them a name of their own, and frames share what they are given.
        if self._is_plain:
            values = np.array(rows, dtype=self._dtype).reshape(len(rows), len(self._columns))
            return pd.DataFrame(values, columns=self._names.view())
        table = list(zip(*rows, strict=True)) if rows else [()] * len(self._columns)
        arrays = {
            index: assemble(*gather(column, cells))
            for index, (column, cells, assemble) in enumerate(
                zip(self._columns, table, self._assemblers, strict=True)
            )
        }
        return pd.DataFrame(arrays, index=pd.RangeIndex(len(rows))).set_axis(self._names.view(), axis=1)

    def _array(self, rows: Sequence[tuple[Any, ...]]) -> Array:
        shape = (len(rows), len(self._columns))
        if self._dtype not in {"object", "str"}:
            return np.array(rows, dtype=self._dtype).reshape(shape)
        values = np.array(rows, dtype=object).reshape(shape)
        missing = pd.isna(values)
        if self._dtype == "str" and not missing.any():
            return values.astype(str)
        for index, column in enumerate(self._columns):
            if column.missing == "nan":
                values[missing[:, index], index] = np.nan
        return values


def common_dtype(columns: Sequence[Column]) -> str:
    """Return the numpy dtype that holds all `columns`.

    >>> from ekiben.signature.column import Column
    >>> common_dtype([Column(name=n, kind="float", dtype=d) for n, d in (("a", "float32"), ("b", "float64"))])
    'float64'
    """
    dtypes = {column.dtype for column in columns}
    if len(dtypes) == 1:
        return dtypes.pop()
    if all(dtype.islower() and dtype_family(dtype) in {"float", "int", "uint", "bool"} for dtype in dtypes):
        return np.result_type(*(np.dtype(dtype) for dtype in dtypes)).name
    return "object"


def gather(column: Column, cells: Sequence[Any]) -> tuple[Array, Array]:
    """Return decoded `cells` as an array of values, and a mask of the missing ones.

    The values are float64, int64, bool, datetime64[us] (in UTC where there is a zone) or objects, by the kind.
    """
    if column.kind == "float":
        numbers = np.array(cells, dtype=np.float64)
        return numbers, np.isnan(numbers)
    missing = np.fromiter((cell is None for cell in cells), bool, len(cells))
    if column.kind == "timestamp":
        if is_aware(column):
            cells = [None if cell is None else cell.astimezone(dt.UTC).replace(tzinfo=None) for cell in cells]
        if column.dtype != "object":
            return np.array(cells, dtype="datetime64[us]"), missing
    if column.kind in _EMPTY:
        filler = _EMPTY[column.kind]
        full = [filler if cell is None else cell for cell in cells] if missing.any() else cells
        return np.array(full, dtype=np.int64 if column.kind == "integer" else np.bool_), missing
    values = np.empty(len(cells), dtype=object)
    values[:] = cells
    return values, missing


def assembler(column: Column) -> Callable[[Array, Array], Any]:
    """Return the function that turns values and their missing mask into a column of the dtype of training."""
    family = dtype_family(column.dtype)
    if family == "category":
        return _category(column)
    if family == "datetime":
        return _timestamp(column)
    if family in {"str", "string"}:
        return _texts(column)
    if family == "object":
        nothing = None if column.missing == "none" else np.nan
        # A series, because a frame would look into a plain array of objects, and find texts.
        return lambda values, missing: pd.Series(_objects(values, missing, nothing), dtype=object)
    if column.dtype.islower() and family != "boolean":
        return lambda values, missing: _numbers(values, missing, column.dtype)
    return lambda values, missing: _masked(values, missing, column.dtype)


def category_dtype(column: Column) -> pd.CategoricalDtype:
    """Return the dtype of a column whose dtype is `category`, with its categories in their order."""
    stated = column.dtype.partition("[")[2].removesuffix("]") or None
    return pd.CategoricalDtype(pd.Index(list(column.categories or ()), dtype=stated), ordered=column.ordered)


def _category(column: Column) -> Callable[[Array, Array], Any]:
    dtype = category_dtype(column)
    known = pd.Index(list(column.categories or ()), dtype=object)

    def assemble(values: Array, missing: Array) -> Any:
        codes = known.get_indexer(pd.Index(values, dtype=object))
        codes[missing] = -1
        return pd.Categorical.from_codes(codes, dtype=dtype)

    return assemble


def _timestamp(column: Column) -> Callable[[Array, Array], Any]:
    inside = column.dtype.partition("[")[2].removesuffix("]")
    unit, _, zone = (part.strip() for part in inside.partition(","))

    def assemble(values: Array, missing: Array) -> Any:
        moments = values.astype(f"datetime64[{unit}]")
        moments[missing] = np.datetime64("NaT")
        index = pd.DatetimeIndex(moments)
        return (index.tz_localize("UTC").tz_convert(zone) if zone else index).array

    return assemble


def _texts(column: Column) -> Callable[[Array, Array], Any]:
    # The dtype itself, because pandas looks for one by its name for half as long as the rest takes.
    dtype: Any = types.pandas_dtype(column.dtype)
    return lambda values, missing: pd.array(_objects(values, missing, None), dtype=dtype)


def _objects(values: Array, missing: Array, nothing: object) -> Array:
    objects = values.astype(object)
    if missing.any():
        objects[missing] = nothing
    return objects


def _numbers(values: Array, missing: Array, dtype: str) -> Array:
    if values.dtype == object:
        values = np.where(missing, 0, values).astype(np.float64 if dtype.startswith("float") else np.int64)
    numbers = values.astype(dtype)
    if missing.any():
        numbers[missing] = np.nan
    return numbers


def _masked(values: Array, missing: Array, dtype: str) -> Any:
    if values.dtype == object:
        values = np.where(missing, 0, values)
    inner = values.astype("bool" if dtype == "boolean" else dtype.lower())
    if dtype == "boolean":
        return pd.arrays.BooleanArray(inner, missing)
    return (pd.arrays.FloatingArray if dtype.startswith("Float") else pd.arrays.IntegerArray)(inner, missing)
