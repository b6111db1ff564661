"""Validation: how models are judged while one is being chosen, on folds of the rows to learn from."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import clone
from sklearn.model_selection import KFold, StratifiedKFold, TimeSeriesSplit

from ekiben.fit.evaluation import METRIC, score
from ekiben.fit.threads import one_thread

if TYPE_CHECKING:
    import pandas as pd

    from ekiben.fit.task import Task


@dataclasses.dataclass(frozen=True)
class CrossValidation:
    """Cross-validation: each fold is checked by a model that learned from the others.

    Args:
        task: Two classes, several, or a number. Classes are spread evenly over the folds.
        folds: How many; fewer where a class has fewer rows.
        seed: For the draw of the folds.
        metric: By what models are judged, the higher the better; by default `ekiben.fit.evaluation.METRIC` of the task.
        by_time: Whether the rows are in order of time, and each fold is to be checked by a model that learned from
            earlier rows only.
    """

    task: Task
    folds: int = 5
    seed: int = 0
    metric: str = ""
    by_time: bool = False

    def __post_init__(self) -> None:
        if not self.metric:
            object.__setattr__(self, "metric", METRIC[self.task])

    def pairs(self, X: pd.DataFrame, y: pd.Series) -> list[tuple[Any, Any]]:
        """Return pairs of arrays of positions: the rows to learn from, and those to check on."""
        if self.by_time:
            pairs = list(TimeSeriesSplit(self.folds).split(X))
            pairs = [pair for pair in pairs if self.task == "regression" or _complete(pair, y)]
            if pairs:
                return pairs
        if self.task == "regression":
            return list(KFold(self.folds, shuffle=True, random_state=self.seed).split(X))
        count = max(2, min(self.folds, int(y.value_counts().min())))
        return list(StratifiedKFold(count, shuffle=True, random_state=self.seed).split(X, y))

    def score(self, pipeline: Any, X: pd.DataFrame, y: pd.Series, pair: tuple[Any, Any]) -> float:
        """Return the metric of a copy of the pipeline, fitted on the rows of one side and checked on the other."""
        learned, checked = pair
        fitted = one_thread(clone(pipeline).fit(X.iloc[learned], y.iloc[learned]))
        return score(fitted, X.iloc[checked], y.iloc[checked], self.metric)


def _complete(pair: tuple[Any, Any], y: pd.Series) -> bool:
    """Return whether every class stands in the part to learn from, and more than one in the part to check on."""
    learned, checked = (len(np.unique(y.iloc[rows])) for rows in pair)
    return bool(learned == y.nunique() and checked > 1)
