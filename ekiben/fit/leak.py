"""Leak: columns that know the answer, because they were written down after it."""

from __future__ import annotations

import csv
import io
import shlex
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ekiben.fit.conversion import is_text

if TYPE_CHECKING:
    from ekiben.signature.output import Label

_MOST_ROWS = 4_000
_AUC, _R2, _EXACT_R2 = 0.995, 0.98, 0.99999
_CHANCE = 1e-9


def warn(X: pd.DataFrame, y: pd.Series, classes: tuple[Label, ...] | None) -> list[str]:
    """Return a sentence for each column, or set of columns, that looks like the target in another coat.

    Three things are looked at: a column that alone predicts the target almost perfectly (a small tree, learned on one
    half of at most 4 000 rows and checked on the other); a value of a column that always goes with one rare class, too
    often for chance; and numbers of which the target is a plain weighted sum.

    Args:
        X: The inputs.
        y: The target: codes of `classes`, or numbers.
        classes: The labels; None for a regression.
    """
    chosen = X.index.to_numpy()
    if len(X) > _MOST_ROWS:
        chosen = np.sort(np.random.default_rng(0).choice(chosen, _MOST_ROWS, replace=False))
    sample, answers = X.loc[chosen], y.loc[chosen]
    found: dict[str, str] = {}
    for name in X.columns:
        score = _score_alone(sample[name], answers.to_numpy(), classified=classes is not None)
        if score >= (_R2 if classes is None else _AUC):
            measure = "R²" if classes is None else "ROC AUC"
            found[name] = f"{name!r} alone predicts {y.name!r} almost perfectly ({measure} {score:.3f})"
        elif classes is not None and (value := _telling_value(X[name], y)) is not None:
            given, label, count = value
            found[name] = f"whenever {name!r} is {given}, {y.name!r} is {classes[label]} ({count:,} rows)"
    sentences = list(found.values())
    suspects = list(found)
    if classes is None and (parts := _sum_parts(sample, answers)):
        sentences.append(f"{y.name!r} is a plain sum of {' and '.join(repr(name) for name in parts)}")
        suspects += [name for name in parts if name not in found]
    if suspects:
        them = "it" if len(suspects) == 1 else "they"
        known = "is" if len(suspects) == 1 else "are"
        sentences.append(
            f"if {them} {known} only known together with the answer, use --drop {as_flag(suspects)}"
        )
    return sentences


def as_flag(names: list[str]) -> str:
    """Return names as the value of a flag: separated by commas, quoted where a shell or a comma asks for it.

    >>> as_flag(["TWF", "HDF"])
    'TWF,HDF'
    >>> as_flag(["Product ID"])
    "'Product ID'"
    """
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(names)
    return shlex.quote(line.getvalue())


def _codes(column: pd.Series) -> Any:
    """Return a column as one of float64, missing as NaN: shape (n, 1)."""
    if is_text(column):
        codes = column.astype("category").cat.codes
        return codes.to_numpy("float64").reshape(-1, 1)
    if column.dtype.kind == "M":
        days = (column - column.min()) / pd.Timedelta(days=1)
        return days.to_numpy("float64").reshape(-1, 1)
    return column.to_numpy("float64", na_value=np.nan).reshape(-1, 1)


def _score_alone(column: pd.Series, answers: Any, *, classified: bool) -> float:
    """Return what a small tree on one column reaches on rows that it did not see; 0 if that cannot be said."""
    from sklearn.metrics import r2_score, roc_auc_score  # noqa: PLC0415 - heavy, and this module is imported early
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor  # noqa: PLC0415 - as above

    values, half = _codes(column), np.random.default_rng(0).random(len(column)) < 0.5
    if classified and (
        len(np.unique(answers[half])) < len(np.unique(answers)) or len(np.unique(answers[~half])) < 2
    ):
        return 0.0
    kind = DecisionTreeClassifier if classified else DecisionTreeRegressor
    tree = kind(max_leaf_nodes=64, min_samples_leaf=3, random_state=0).fit(values[half], answers[half])
    if not classified:
        return float(r2_score(answers[~half], tree.predict(values[~half])))
    if len(tree.classes_) == 2:
        return float(roc_auc_score(answers[~half], tree.predict_proba(values[~half])[:, 1]))
    scores = tree.predict_proba(values[~half])
    areas = [roc_auc_score(answers[~half] == code, scores[:, code]) for code in np.unique(answers[~half])]
    return float(min(areas))


def _telling_value(column: pd.Series, y: pd.Series) -> tuple[Any, int, int] | None:
    """Return a value that always goes with one class, that class and how often, if chance cannot explain it."""
    # A count that is rarely high goes with the rare class by nature: of numbers, only flags are looked at.
    if column.nunique() > (20 if is_text(column) else 2):
        return None
    shares = y.value_counts(normalize=True)
    for value, answers in y.groupby(column):
        label = int(answers.iloc[0])
        share = float(shares[label])
        if (answers == label).all() and share < 0.5 and share ** len(answers) < _CHANCE:
            return value, label, len(answers)
    return None


def _sum_parts(sample: pd.DataFrame, answers: pd.Series) -> list[str]:
    """Return the columns of which the target is a weighted sum without remainder: all or none."""
    numbers = [name for name in sample.columns if sample[name].dtype.kind in "if"]
    full = sample[numbers].dropna(axis="columns")
    spread = full.std()
    full = full.loc[:, spread > 0]
    if full.shape[1] < 2 or len(full) < 5 * full.shape[1]:
        return []
    scaled = ((full - full.mean()) / full.std()).to_numpy("float64")
    centred = answers.to_numpy("float64") - answers.mean()
    weights, *_ = np.linalg.lstsq(scaled, centred, rcond=None)
    remainder = centred - scaled @ weights
    if 1 - remainder.var() / centred.var() < _EXACT_R2:
        return []
    parts = [
        name for name, weight in zip(full.columns, weights, strict=True) if abs(weight) > 1e-3 * centred.std()
    ]
    return parts if len(parts) > 1 else []
