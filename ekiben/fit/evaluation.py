"""Evaluation: how good predictions are, in figures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn import metrics

from ekiben.errors import TableError

if TYPE_CHECKING:
    import pandas as pd

    from ekiben.fit.task import Task

METRIC: dict[Task, str] = {"binary": "roc_auc", "multiclass": "macro_f1", "regression": "r2"}
"""By what models of a task are compared, unless somebody says otherwise. The higher the better, each of them."""


def evaluate(estimator: Any, X: pd.DataFrame, y: pd.Series, task: Task) -> dict[str, float]:
    """Return the figures that suit a task.

    Args:
        estimator: A fitted pipeline; classes are the codes 0..n-1.
        X: Inputs that it has not seen, n rows.
        y: Their targets, shape (n,).
        task: Two classes, several, or a number.

    Returns:
        For two classes: roc_auc, average_precision, accuracy, f1, precision, recall, log_loss, brier. For several:
        macro_f1, accuracy, balanced_accuracy, log_loss. For a number: r2, rmse, mae, in units of the target. What
        cannot be said, such as the area under the curve where only one class stands in `y`, is left out.
    """
    prediction = np.asarray(estimator.predict(X))
    truth = np.asarray(y)
    if task == "regression":
        figures = {
            "r2": metrics.r2_score(truth, prediction),
            "rmse": metrics.root_mean_squared_error(truth, prediction),
            "mae": metrics.mean_absolute_error(truth, prediction),
        }
    elif task == "binary":
        figures = _of_two_classes(truth, prediction, np.asarray(estimator.predict_proba(X))[:, 1])
    else:
        probabilities = np.asarray(estimator.predict_proba(X), dtype="float64")
        figures = {
            "macro_f1": _macro(metrics.f1_score, truth, prediction),
            "accuracy": metrics.accuracy_score(truth, prediction),
            "balanced_accuracy": _macro(metrics.recall_score, truth, prediction),
            "log_loss": _log_loss(truth, probabilities),
        }
    return {name: round(float(value), 6) for name, value in figures.items()}


def score(estimator: Any, X: pd.DataFrame, y: pd.Series, metric: str) -> float:
    """Return one figure by which models are compared, the higher the better.

    Args:
        estimator: A fitted pipeline.
        X: Inputs that it has not seen.
        y: Their targets.
        metric: `roc_auc`, `average_precision`, `macro_f1`, `r2` or `neg_log_loss`.

    Raises:
        TableError: If the metric is not known.
    """
    truth = np.asarray(y)
    if metric in {"roc_auc", "average_precision"}:
        measure = metrics.roc_auc_score if metric == "roc_auc" else metrics.average_precision_score
        return float(measure(truth, np.asarray(estimator.predict_proba(X))[:, 1]))
    if metric == "macro_f1":
        return _macro(metrics.f1_score, truth, np.asarray(estimator.predict(X)))
    if metric == "r2":
        return float(metrics.r2_score(truth, np.asarray(estimator.predict(X))))
    if metric == "neg_log_loss":
        return -_log_loss(truth, np.asarray(estimator.predict_proba(X), dtype="float64"))
    raise TableError(
        f"no metric {metric!r}: roc_auc, average_precision, macro_f1, r2 or neg_log_loss was expected"
    )


def recall_at(truth: Any, probability: Any, false_alarms: float) -> float:
    """Return the share of the positive rows that are found if a given share of the negative ones may ring as well.

    Args:
        truth: 0 or 1, shape (n,).
        probability: Of class 1, shape (n,).
        false_alarms: The share of the negative rows that may be above the threshold, 0 to 1.

    >>> recall_at([0, 0, 0, 0, 1, 1], [0.1, 0.2, 0.3, 0.6, 0.5, 0.9], false_alarms=0.1)
    0.5
    """
    alarms, found, _ = metrics.roc_curve(truth, probability, drop_intermediate=False)
    return float(found[alarms <= false_alarms].max())


def _of_two_classes(truth: Any, prediction: Any, probability: Any) -> dict[str, float]:
    figures = {
        "accuracy": metrics.accuracy_score(truth, prediction),
        "f1": metrics.f1_score(truth, prediction, zero_division=0),
        "precision": metrics.precision_score(truth, prediction, zero_division=0),
        "recall": metrics.recall_score(truth, prediction, zero_division=0),
        "log_loss": _log_loss(truth, np.column_stack([1 - probability, probability]).astype("float64")),
        "brier": metrics.brier_score_loss(truth, probability),
    }
    if len(np.unique(truth)) < 2:
        return figures
    curves = {
        "roc_auc": metrics.roc_auc_score(truth, probability),
        "average_precision": metrics.average_precision_score(truth, probability),
    }
    return curves | figures


def _macro(measure: Any, truth: Any, prediction: Any) -> float:
    return float(measure(truth, prediction, average="macro", zero_division=0))


def _log_loss(truth: Any, probabilities: Any) -> float:
    # Float32 probabilities do not sum to one exactly enough for scikit-learn's check.
    sums = probabilities.sum(axis=1, keepdims=True)
    return float(metrics.log_loss(truth, probabilities / sums, labels=list(range(probabilities.shape[1]))))
