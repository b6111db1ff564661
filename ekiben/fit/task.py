"""Task: what is to be predicted: one of two classes, one of several, or a number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
import pandas as pd

from ekiben.errors import TableError, quote
from ekiben.fit.conversion import is_text
from ekiben.fit.numbers import resemblance

if TYPE_CHECKING:
    from ekiben.signature.output import Label

Task: TypeAlias = Literal["binary", "multiclass", "regression"]

_MOST_CLASSES = 50
_MOST_NUMBERED_CLASSES = 10
"""Up to this many different whole numbers are taken as classes, unless somebody says `regression`."""
_YES = {
    "yes",
    "y",
    "true",
    "t",
    "1",
    "positive",
    "pos",
    "bad",
    "default",
    "fraud",
    "churn",
    "churned",
    "failure",
}


def detect(target: pd.Series, wanted: str | None = None) -> tuple[Task, str]:
    """Return the task that a target column asks for, and a sentence that says why.

    Args:
        target: The target, converted, without missing values.
        wanted: `classification` or `regression`, to overrule.

    Raises:
        TableError: If there is nothing to learn, or the target cannot be what was wanted.

    >>> import pandas as pd
    >>> detect(pd.Series([0, 1, 1, 0], name="failed"))
    ('binary', "'failed' has 2 different values: classification")
    """
    name, different = target.name, int(target.nunique())
    if wanted not in {None, "classification", "regression"}:
        raise TableError(f"the task {wanted!r} is not known: classification or regression was expected")
    if different == 0:
        raise TableError(f"every value of the target {name!r} is missing")
    if different == 1:
        raise TableError(
            f"the target {name!r} is {quote(_plain(target.iloc[0]))} in every row: two different values are needed "
            "to learn anything"
        )
    if wanted == "regression":
        if is_text(target) or not pd.api.types.is_numeric_dtype(target.dtype):
            like = resemblance(target) if is_text(target) else None
            held = like or f"holds {target.dtype} values: a regression needs numbers"
            raise TableError(f"the target {name!r} {held}")
        return "regression", f"{name!r} is predicted as a number, as asked"
    if wanted is None and _is_measure(target, different):
        return "regression", f"{name!r} has {different:,} different numbers: regression"
    if pd.api.types.is_datetime64_any_dtype(target.dtype) or target.dtype == object:
        raise TableError(f"the target {name!r} holds {target.dtype} values: labels or numbers were expected")
    if different > _MOST_CLASSES:
        if is_text(target) and (like := resemblance(target)):
            raise TableError(f"the target {name!r} {like}")
        raise TableError(
            f"the target {name!r} has {different:,} different values: at most {_MOST_CLASSES} classes can be learned"
        )
    kind: Task = "binary" if different == 2 else "multiclass"
    return kind, f"{name!r} has {different} different values: classification"


def classes_of(target: pd.Series, positive: str | None = None) -> tuple[Label, ...]:
    """Return the labels of a target in their order; of two, the positive one comes second.

    Args:
        target: The labels, without missing values.
        positive: The label that is looked for, as text; by default the second in order, or the one that is a plain
            yes (`yes`, `true`, `bad`, `failure`, …).

    Raises:
        TableError: If there is no such label.

    >>> import pandas as pd
    >>> classes_of(pd.Series(["no", "yes", "no"]))
    ('no', 'yes')
    >>> classes_of(pd.Series(["bad", "good"]))
    ('good', 'bad')
    """
    labels = sorted(_plain(value) for value in target.unique())
    if positive is None:
        said = [label for label in labels if str(label).casefold() in _YES]
        chosen = said[0] if len(said) == 1 and len(labels) == 2 else labels[-1]
    else:
        named = {str(label): label for label in labels}
        if positive not in named:
            raise TableError(f"there is no label {positive!r}: the labels are {', '.join(named)}")
        chosen = named[positive]
    if len(labels) == 2:
        labels.sort(key=lambda label: label == chosen)
    return tuple(labels)


def encode(target: pd.Series, classes: tuple[Label, ...]) -> pd.Series:
    """Return the labels as their places in `classes`: int64, shape (n,)."""
    places = {label: place for place, label in enumerate(classes)}
    codes = np.fromiter((places[_plain(value)] for value in target), dtype="int64", count=len(target))
    return pd.Series(codes, index=target.index, name=target.name)


def whole(target: pd.Series) -> pd.Series:
    """Return a float target that holds whole numbers only (0.0, 1.0) as integers; any other as it is."""
    if pd.api.types.is_float_dtype(target.dtype) and bool((target == target.round()).all()):
        return target.astype("int64") if bool((target.abs() < 2**53).all()) else target
    return target


def _is_measure(target: pd.Series, different: int) -> bool:
    if not pd.api.types.is_numeric_dtype(target.dtype) or pd.api.types.is_bool_dtype(target.dtype):
        return False
    return different > (_MOST_NUMBERED_CLASSES if pd.api.types.is_integer_dtype(target.dtype) else 2)


def _plain(value: object) -> Label:
    """Return a label as plain Python."""
    return value.item() if isinstance(value, np.generic) else value  # type: ignore[return-value]  # a label by dtype
