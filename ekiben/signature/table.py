"""Table: whatever holds columns, turned into a pandas frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from ekiben.errors import SignatureError

if TYPE_CHECKING:
    from collections.abc import Sequence


_EXPECTED = "expected a pandas, polars or pyarrow table, or a numpy array with names=[...]"


def as_frame(X: Any, names: Sequence[str] | None = None) -> tuple[pd.DataFrame, Literal["pandas", "numpy"]]:
    """Return `X` as a pandas frame, and what a pipeline fitted on it is fed.

    Args:
        X: A pandas or polars frame, a pyarrow table, or a numpy array of shape (rows, columns).
        names: The names of an array's columns.

    Returns:
        The frame (that of the caller, if it is one), and `numpy` if `X` was an array.

    Raises:
        SignatureError: `X` is nothing of that, or the names do not fit.
    """
    if isinstance(X, np.ndarray):
        return _array_frame(X, names), "numpy"
    if names is not None:
        raise SignatureError(f"names= is for numpy arrays; a {type(X).__name__} has names of its own")
    if isinstance(X, pd.DataFrame):
        return X, "pandas"
    library = type(X).__module__.partition(".")[0]
    if library == "polars":
        X = X.collect() if hasattr(X, "collect") else X
        X = X.to_arrow() if hasattr(X, "to_arrow") and hasattr(X, "columns") else X
        library = type(X).__module__.partition(".")[0]
    if library == "pyarrow" and hasattr(X, "schema") and hasattr(X, "to_pandas"):
        return X.to_pandas(date_as_object=False), "pandas"
    raise SignatureError(f"X is a {type(X).__module__}.{type(X).__qualname__}; {_EXPECTED}")


def as_series(y: Any) -> pd.Series[Any]:
    """Return `y`, one value for each row, as a pandas series.

    Raises:
        SignatureError: `y` has more than one column.
    """
    if isinstance(y, pd.Series):
        return y
    if type(y).__module__.partition(".")[0] in {"polars", "pyarrow"}:
        y = y.to_pandas()
    if isinstance(y, pd.DataFrame):
        if y.shape[1] != 1:
            raise SignatureError(f"y has {y.shape[1]} columns; expected one")
        return y.iloc[:, 0]
    if isinstance(y, np.ndarray) and y.ndim != 1:
        if y.ndim != 2 or y.shape[1] != 1:
            raise SignatureError(f"y has the shape {y.shape}; expected one value for each row")
        y = y[:, 0]
    return y if isinstance(y, pd.Series) else pd.Series(y)


def _array_frame(X: np.ndarray[Any, Any], names: Sequence[str] | None) -> pd.DataFrame:
    if X.ndim != 2:
        raise SignatureError(
            f"X has the shape {X.shape}; expected rows and columns: (n, {len(names or ()) or 'k'})"
        )
    if names is None:
        raise SignatureError("a numpy array has no column names; give them with names=[...]")
    if len(names) != X.shape[1]:
        raise SignatureError(
            f"names has {len(names)} names, and X has {X.shape[1]} columns; expected as many"
        )
    if X.dtype.kind == "O":
        # Without the dtype pandas would look into the objects and take texts out of their common array.
        return pd.DataFrame(
            {index: pd.Series(X[:, index], dtype=object) for index in range(X.shape[1])}
        ).set_axis(list(names), axis=1)
    return pd.DataFrame(X, columns=list(names))
