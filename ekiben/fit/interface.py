"""Interface: the signature of a model that was fitted on a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ekiben.signature import Signature

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from ekiben.fit.holdout import Split
    from ekiben.fit.table import Table


def signature(
    table: Table, part: Split, *, units: Mapping[str, str] | None = None, **settings: Any
) -> Signature:
    """Infer a signature from the rows that a model learned from.

    A category that training did not see is refused, with the nearest one that it knows, unless new ones are to be
    expected. That is so where the chance that the next row brings a new one is not zero by the estimate of Good and
    Turing: (categories that stand in one row only) / (rows). Then it is passed on: the pipelines of `ekiben.fit` take
    unseen categories as rare ones. (I. J. Good, "The Population Frequencies of Species", Biometrika 40, 1953.)

    Args:
        table: Names the target, and its classes.
        part: The rows to learn from, and those held out: what is missing in either may be missing.
        units: The units of columns, by name; names that the table does not have are passed over.
        settings: Further arguments of `Signature.infer`.
    """
    if table.classes is not None:
        settings = {"classes": table.classes, **settings}
    if table.task == "binary" and table.classes is not None:
        settings = {"positive": table.classes[1], **settings}
    nullable = [name for name in table.X.columns if table.X[name].isna().any()]
    found = Signature.infer(
        part.X_train, table.labels(part.y_train), target=table.target, nullable=nullable, **settings
    )
    for column in found.columns:
        changes: dict[str, Any] = {}
        if column.kind == "category" and _expects_new(part.X_train[column.name], part.X_test[column.name]):
            changes["unseen"] = "pass"
        if units and column.name in units:
            changes["unit"] = units[column.name]
        if changes:
            found = found.describe(column.name, **changes)
    return found


def _expects_new(seen: pd.Series, held_out: pd.Series) -> bool:
    once = int((seen.value_counts() == 1).sum())
    return once > 0 or not set(held_out.dropna()) <= set(seen.dropna())
