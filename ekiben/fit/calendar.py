"""Calendar: what a timestamp says about season, week and hour, as numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_PARTS: dict[str, Callable[[pd.Series], Any]] = {
    "day": lambda times: (times - pd.Timestamp("1970-01-01")) / pd.Timedelta(days=1),
    "month": lambda times: times.dt.month,
    "monthday": lambda times: times.dt.day,
    "weekday": lambda times: times.dt.day_of_week,
    "hour": lambda times: times.dt.hour + times.dt.minute / 60 + times.dt.second / 3600,
}


class CalendarFeatures(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn ships no types
    """Turn columns of timestamps into numbers that a model can use, so that the API takes the timestamp itself.

    For each column: `day` (days since 1970-01-01, whole), `month` (1 to 12), `monthday` (1 to 31), `weekday` (Monday
    is 0), `hour` (0 to 24, minutes as a fraction). Parts that are the same in all training rows are left out. A
    missing timestamp gives NaN. Where timestamps have a zone, the clock of that zone counts.

    Attributes:
        feature_names_in_: The names of the columns.
        parts_: For each column, the names of the parts that it gives.

    >>> import pandas as pd
    >>> X = pd.DataFrame({"at": pd.to_datetime(["2026-11-22 06:30", "2026-11-23 18:00"])})
    >>> CalendarFeatures().fit_transform(X).tolist()
    [[20779.0, 22.0, 6.0, 6.5], [20780.0, 23.0, 0.0, 18.0]]
    """

    def fit(self, X: pd.DataFrame, y: object = None) -> CalendarFeatures:
        """Find the parts that vary.

        Args:
            X: Columns of datetime64, shape (n, columns).
            y: Not used.

        Returns:
            This transformer, fitted.
        """
        del y
        self.feature_names_in_ = np.asarray(X.columns, dtype=object)
        self.n_features_in_ = X.shape[1]
        self.parts_ = [
            [part for part in _PARTS if len(_values(X[name], part).dropna().unique()) > 1]
            for name in X.columns
        ]
        return self

    def transform(self, X: pd.DataFrame) -> np.ndarray:
        """Return the parts as float64, shape (n, parts of all columns)."""
        check_is_fitted(self)
        columns = [_values(X[name], part).to_numpy("float64") for name, part in self._pairs()]
        return np.column_stack(columns) if columns else np.empty((len(X), 0))

    def get_feature_names_out(self, input_features: Iterable[str] | None = None) -> np.ndarray:
        """Return the names of the parts, such as `at month`: object, shape (parts of all columns,)."""
        del input_features
        check_is_fitted(self)
        return np.asarray([f"{name} {part}" for name, part in self._pairs()], dtype=object)

    def _pairs(self) -> list[tuple[str, str]]:
        named = zip(self.feature_names_in_, self.parts_, strict=True)
        return [(name, part) for name, parts in named for part in parts]


def _values(times: pd.Series, part: str) -> pd.Series:
    wall = times if times.dt.tz is None else times.dt.tz_localize(None)
    values: pd.Series = _PARTS[part](wall.dt.normalize() if part == "day" else wall)
    return values.astype("float64")
