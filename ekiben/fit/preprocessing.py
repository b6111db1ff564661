"""Preprocessing: from the columns of a table to the dense float64 matrix that an estimator takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from ekiben.fit.calendar import CalendarFeatures

if TYPE_CHECKING:
    from ekiben.fit.table import Table

_RAREST = 5
"""Categories in fewer rows than this share one column."""
_MOST_COLUMNS = 60
"""One column of text becomes at most so many columns; the rest shares one."""


def for_distances(table: Table) -> ColumnTransformer:
    """Return preprocessing for models that weigh or measure: nothing missing, everything of one scale.

    Missing numbers become the median, and a further column says where they were; categories become one column each,
    unseen and rare ones share one; timestamps become calendar parts.

    Args:
        table: Tells which columns are numbers, categories and timestamps.
    """
    return _columns(
        number=(
            make_pipeline(_medians(), StandardScaler()),
            table.numbers,
        ),
        category=(_one_column_each(), table.categories),
        timestamp=(
            make_pipeline(CalendarFeatures(), SimpleImputer(keep_empty_features=True), StandardScaler()),
            table.timestamps,
        ),
    )


def for_trees(table: Table) -> ColumnTransformer:
    """Return preprocessing for trees that ask "is it more than": as for distances, but nothing is scaled."""
    return _columns(
        number=(_medians(), table.numbers),
        category=(_one_column_each(), table.categories),
        timestamp=(
            make_pipeline(CalendarFeatures(), SimpleImputer(keep_empty_features=True)),
            table.timestamps,
        ),
    )


def for_boosting(table: Table) -> ColumnTransformer:
    """Return preprocessing for boosted trees, which know missing numbers themselves: NaN goes through."""
    return _columns(
        number=("passthrough", table.numbers),
        category=(_one_column_each(), table.categories),
        timestamp=(CalendarFeatures(), table.timestamps),
    )


def _medians() -> SimpleImputer:
    # A fold in which a column is empty would otherwise be told in a warning, and lose the column.
    return SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)


def _one_column_each() -> OneHotEncoder:
    return OneHotEncoder(
        handle_unknown="infrequent_if_exist",
        min_frequency=_RAREST,
        max_categories=_MOST_COLUMNS,
        sparse_output=False,
    )


def _columns(**parts: tuple[Any, list[str]]) -> ColumnTransformer:
    # Dense, always: a sparse matrix would make XGBoost take zeros for missing values.
    used = [(name, transformer, columns) for name, (transformer, columns) in parts.items() if columns]
    return ColumnTransformer(used, sparse_threshold=0)
