"""Holdout: the rows that a model does not see until it is judged."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sklearn.model_selection import train_test_split

from ekiben.errors import TableError

if TYPE_CHECKING:
    import pandas as pd

    from ekiben.fit.table import Table


class Split(NamedTuple):
    """A part to learn from and a part to judge by."""

    X_train: pd.DataFrame
    X_test: pd.DataFrame
    y_train: pd.Series
    y_test: pd.Series


def split(table: Table, *, seed: int = 0, share: float = 0.2) -> Split:
    """Hold a part of the rows out.

    By time, the last part, if the table has an order; else at random, with the same share of each class in both parts.

    Args:
        table: The table.
        seed: For the draw.
        share: The share of the rows that is held out, 0 to 1.

    Raises:
        TableError: If a class stands in the later part only.
    """
    if table.order is None:
        stratify = None if table.classes is None else table.y
        held = max(share, len(table.classes or ()) / len(table.y))
        return Split(
            *train_test_split(table.X, table.y, test_size=held, random_state=seed, stratify=stratify)
        )
    ordered = table.order.sort_values(kind="stable").index
    cut = len(ordered) - max(1, round(share * len(ordered)))
    early, late = ordered[:cut], ordered[cut:]
    parts = Split(table.X.loc[early], table.X.loc[late], table.y.loc[early], table.y.loc[late])
    if table.classes is not None and parts.y_train.nunique() < len(table.classes):
        raise TableError(
            f"the earlier {1 - share:.0%} of the rows, by time, do not hold every class of {table.target!r}: leave "
            "--time away, or bring more rows"
        )
    return parts
