"""Infer: what the columns, the output and a typical row are, read from the data that a model was fitted on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

import numpy as np
import pandas as pd
from pandas.api import types

from ekiben.errors import SignatureError, quote
from ekiben.signature.column import Column, advise, as_nullable, dtype_family
from ekiben.signature.observed import observed, typical
from ekiben.signature.output import Output, OutputKind
from ekiben.signature.table import as_series

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from ekiben.signature.column import Category, Kind
    from ekiben.signature.output import Field, Label

MAX_CATEGORIES = 100
"""A column of texts with more distinct values is no category, unless someone says so."""

MAX_LABELS = 20
"""A target of integers with more distinct values is a number, unless someone says so."""

FEW_ROWS = 20
"""With more rows than this, at most half of them may be distinct categories."""

_OBJECTS: dict[str, Kind] = {
    "string": "text",
    "empty": "text",
    "boolean": "boolean",
    "integer": "integer",
    "floating": "float",
    "mixed-integer-float": "float",
}
"""What a column of Python objects may hold, in the words of `pandas.api.types.infer_dtype`."""

_ADVICE = {
    "decimal": "turn it into numbers with .astype(float)",
    "date": "turn it into timestamps with pandas.to_datetime",
    "complex": "split it into real and imaginary part",
    "datetime": "turn it into timestamps with pandas.to_datetime",
    "datetime64": "turn it into timestamps with pandas.to_datetime",
    "timedelta": "turn it into a number, such as .dt.total_seconds()",
    "period": "turn it into timestamps with .dt.to_timestamp()",
    "interval": "turn it into text with .astype(str)",
    "mixed": "make all its values texts or all numbers",
    "mixed-integer": "make all its values texts or all numbers",
    "bytes": "decode it into text with .str.decode('utf-8')",
}


def infer_columns(
    frame: pd.DataFrame,
    *,
    kinds: Mapping[str, Kind] | None = None,
    categories: Mapping[str, Sequence[Category]] | None = None,
    nullable: Collection[str] = (),
    max_categories: int = MAX_CATEGORIES,
) -> tuple[Column, ...]:
    """Return what each column of `frame` holds.

    Args:
        frame: The rows that the model was fitted on.
        kinds: The kind of a column, where the data would say another.
        categories: The categories of a column, in their order, where the data would say others.
        nullable: Columns that may miss values although none is missing here.
        max_categories: A column of texts with more distinct values is a text.

    Returns:
        The columns, in the order of the frame.

    Raises:
        SignatureError: A column cannot be served; it says which, what it holds and what to do.
    """
    _check_frame(frame)
    names = list(frame.columns)
    for word, given in (("kinds", kinds or {}), ("categories", categories or {}), ("nullable", nullable)):
        _check_names(word, given, names)
    found = []
    for name in names:
        series = frame[name]
        listed = (categories or {}).get(name)
        kind = (kinds or {}).get(name) or (None if listed is None else "category")
        column = _column(series, str(name), kind, listed, max_categories)
        found.append(as_nullable(column) if name in nullable else column)
    return tuple(found)


def infer_example(frame: pd.DataFrame, columns: Sequence[Column]) -> dict[str, Any]:
    """Return a typical row: medians and most frequent values, ready to be sent as JSON.

    A value is missing only where all are.
    """
    return {column.name: typical(frame[column.name].dropna(), column) for column in columns}


def infer_output(
    y: Any,
    *,
    kind: OutputKind | None = None,
    name: str | None = None,
    classes: Sequence[Label] | None = None,
    positive: Label | None = None,
    fields: Sequence[Field] | None = None,
) -> Output:
    """Return what a model fitted on the targets `y` answers.

    Args:
        y: One target for each row; None where there is none (outlier detection).
        kind: What the answer is, where the targets would say another.
        name: What is predicted; by default the name of `y`, or `prediction`.
        classes: The labels, in the order of the columns of `predict_proba`; by default as numpy sorts them, those of a
            pandas Categorical in its own order.
        positive: The label whose probability is meant; by default the second of two.
        fields: What an answer holds; by default the prediction only.

    Raises:
        SignatureError: The targets are missing, or cannot be predicted.
    """
    series = None if y is None else as_series(y)
    if kind is not None and kind not in get_args(OutputKind):
        raise SignatureError(f"output={quote(kind)}; expected one of {', '.join(get_args(OutputKind))}")
    if name is not None and not isinstance(name, str):
        raise SignatureError(f"target={quote(name)}; expected a text: the name of what is predicted")
    if series is None and kind is None:
        raise SignatureError(
            "there is no y; say what the model answers with output='label', 'number' or 'score'"
        )
    if name is None:
        name = str(series.name) if series is not None and isinstance(series.name, str) else "prediction"
    if series is not None:
        _check_target(series)
        kind = kind or _output_kind(series)
    if classes is None and series is not None and kind in {"label", "probability"}:
        classes = _classes(series)
    labels = None if classes is None else tuple(_label(one) for one in classes)
    positive = _label(positive)
    if positive is None and labels is not None and len(labels) == 2:
        positive = labels[1]
    chosen: tuple[Field, ...] = tuple(dict.fromkeys(("prediction", *(fields or ()))))
    assert kind is not None
    return Output(kind=kind, name=name, classes=labels, positive=positive, fields=chosen, available=chosen)


def _check_frame(frame: pd.DataFrame) -> None:
    if not frame.shape[1]:
        raise SignatureError("the frame has no columns; expected at least one")
    if not len(frame):
        raise SignatureError("the frame has no rows; expected those that the model was fitted on")
    seen: set[str] = set()
    for name in frame.columns:
        if not isinstance(name, str):
            raise SignatureError(
                f"the column name {name!r} is a {type(name).__name__}; expected text: rename it"
            )
        if name in seen:
            raise SignatureError(
                f"the column name {name!r} stands twice; expected different names: rename one"
            )
        seen.add(name)


def _check_names(word: str, given: Iterable[str], names: Sequence[str]) -> None:
    for name in given:
        if name not in names:
            raise SignatureError(
                f"{word} names the column {name!r}, which the frame has not; {advise(name, names)}"
            )


def _column(
    series: pd.Series[Any],
    name: str,
    kind: Kind | None,
    listed: Sequence[Category] | None,
    max_categories: int,
) -> Column:
    dtype, found = _dtype(series, name)
    present = series.dropna()
    known: tuple[Category, ...] | None = None
    if isinstance(series.dtype, pd.CategoricalDtype):
        known = _plain_categories(series.dtype.categories, name)
        found = "boolean" if {type(one) for one in known} == {bool} else "category"
    elif listed is not None:
        known = _plain_categories(listed, name)
        _check_listed(present, known, name)
    elif kind == "category" or (kind is None and found == "text" and _is_few(present, max_categories)):
        known = tuple(
            sorted(_plain_categories(present.unique(), name), key=lambda one: (str(type(one)), one))
        )
        kind = "category"
    chosen: Kind = kind or found
    low, high, quantiles = observed(present, chosen, name)
    return Column(
        name=name,
        kind=chosen,
        dtype=dtype,
        nullable=len(present) < len(series),
        missing="none" if dtype == "object" and _holds_none(series) else "nan",
        categories=known,
        ordered=bool(getattr(series.dtype, "ordered", False)),
        minimum=low,
        maximum=high,
        quantiles=quantiles,
    )


def _dtype(series: pd.Series[Any], name: str) -> tuple[str, Kind]:
    """Return how the dtype of `series` is written, and which kind its values are."""
    dtype = series.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        chosen = pd.Index(list(dtype.categories)).dtype
        return (
            "category" if chosen == dtype.categories.dtype else f"category[{dtype.categories.dtype}]"
        ), "category"
    if isinstance(dtype, pd.StringDtype):
        return ("string" if dtype.na_value is pd.NA else "str"), "text"
    if types.is_object_dtype(dtype):
        held = types.infer_dtype(series, skipna=True)
        if held not in _OBJECTS:
            raise _unsupported(name, f"Python objects ({held})", held, series)
        return "object", _OBJECTS[held]
    held = str(dtype)
    if isinstance(dtype, (pd.ArrowDtype, pd.SparseDtype)):
        raise SignatureError(
            f"column {name!r} has the dtype {held}; expected one of numpy or pandas: "
            "use .convert_dtypes(dtype_backend='numpy_nullable') or .sparse.to_dense()"
        )
    if isinstance(dtype, pd.DatetimeTZDtype) and not _is_named(dtype):
        raise SignatureError(
            f"column {name!r} has the dtype {held}, whose zone has no name; use .dt.tz_convert('UTC') or another name"
        )
    for test, kind in _TESTS:
        if test(dtype):
            return (dtype.name if isinstance(dtype, np.dtype) else held), kind
    raise _unsupported(name, f"the dtype {held}", dtype_family(held), series)


_TESTS: tuple[tuple[Callable[[Any], bool], Kind], ...] = (
    (types.is_bool_dtype, "boolean"),
    (types.is_integer_dtype, "integer"),
    (types.is_float_dtype, "float"),
    (types.is_datetime64_any_dtype, "timestamp"),
)


def _is_named(dtype: pd.DatetimeTZDtype) -> bool:
    """Return whether the zone can be found again by what is stored."""
    try:
        return bool(types.pandas_dtype(str(dtype)) == dtype)
    except (TypeError, ValueError, LookupError, OSError):
        return False


def _unsupported(name: str, what: str, held: str, series: pd.Series[Any]) -> SignatureError:
    present = series.dropna()
    sample = ", ".join(dict.fromkeys(quote(one) for one in present.head(100))) if len(present) else "nothing"
    sample = sample if len(sample) < 80 else sample[:79] + "…"
    advice = _ADVICE.get(held, "turn it into numbers or texts, or leave it out")
    return SignatureError(f"column {name!r} holds {what}, such as {sample}; {advice}")


def _plain_categories(categories: Iterable[Any], name: str) -> tuple[Category, ...]:
    plain = tuple(_label(one) for one in categories)
    for one in plain:
        if not isinstance(one, (str, int, float)):
            raise SignatureError(
                f"column {name!r} has the category {one!r}, a {type(one).__name__}; expected texts, numbers or booleans"
            )
    if not plain:
        raise SignatureError(f"column {name!r} has no category at all; leave it out, or give its categories")
    return plain


def _check_listed(present: pd.Series[Any], known: Collection[Category], name: str) -> None:
    """Refuse categories that leave out what the data holds."""
    others = [value for one in present.unique() if (value := _label(one)) not in known]
    if others:
        raise SignatureError(
            f"column {name!r} holds {len(others)} categories that are not listed, such as {quote(others[0])}; list them in"
            " categories=, or take such rows out"
        )


def _label(value: Any) -> Any:
    """Return a numpy scalar as the plain Python value, text without its subclass."""
    value = value.item() if isinstance(value, np.generic) else value
    return str(value) if isinstance(value, str) else value


def _is_few(present: pd.Series[Any], max_categories: int) -> bool:
    distinct = present.nunique()
    return 0 < distinct <= max_categories and (len(present) <= FEW_ROWS or distinct <= len(present) / 2)


def _holds_none(series: pd.Series[Any]) -> bool:
    missing = series[series.isna()]
    return len(missing) > 0 and all(one is None for one in missing)


def _check_target(series: pd.Series[Any]) -> None:
    if not len(series):
        raise SignatureError("y has no values; expected one for each row")
    missing = int(series.isna().sum())
    if missing:
        raise SignatureError(f"y misses {missing} of {len(series)} values; leave those rows out")


def _output_kind(series: pd.Series[Any]) -> OutputKind:
    dtype = series.dtype
    held = types.infer_dtype(series) if types.is_object_dtype(dtype) else ""
    numbers = types.is_numeric_dtype(dtype) or held in {"integer", "floating", "mixed-integer-float"}
    if types.is_bool_dtype(dtype) or held == "boolean" or not numbers:
        return "label"
    values = series.to_numpy(dtype=np.float64)
    if not bool(np.isfinite(values).all()):
        raise SignatureError("y holds infinite values; leave those rows out")
    return (
        "label" if bool((values == np.round(values)).all()) and series.nunique() <= MAX_LABELS else "number"
    )


def _classes(series: pd.Series[Any]) -> list[Any]:
    """Return the labels as `numpy.unique` sorts them, which is how scikit-learn orders its classes.

    Those of a Categorical keep its own order, which is that of its codes; an estimator that was fitted on the labels
    themselves names them when it is saved.
    """
    if isinstance(series.dtype, pd.CategoricalDtype):
        occurring = set(series.unique())
        return [_label(one) for one in series.dtype.categories if one in occurring]
    labels = [_label(one) for one in series.unique()]
    kinds = {type(one) for one in labels}
    if not (kinds <= {str} or kinds <= {bool} or kinds <= {int, float}):
        names = ", ".join(sorted(kind.__name__ for kind in kinds))
        raise SignatureError(
            f"y holds labels of the types {names}; expected texts, numbers or booleans, not a mixture"
        )
    return sorted(labels)
