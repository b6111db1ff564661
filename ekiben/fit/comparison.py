"""Comparison: what each model reaches on rows that it has not seen, by cross-validation."""

from __future__ import annotations

import dataclasses
import time
from typing import TYPE_CHECKING, Any

import numpy as np

from ekiben.errors import TableError
from ekiben.fit.progress import bar

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from ekiben.fit.validation import CrossValidation

BASELINE = "baseline"
"""A model of this name is shown for comparison and never chosen."""


@dataclasses.dataclass(frozen=True)
class Score:
    """What one model reached.

    Args:
        name: The model.
        folds: The metric, one value for each fold.
        fit_s: Seconds to fit and check one fold, on average.
        failure: Why it has no values, if it could not be fitted.
    """

    name: str
    folds: tuple[float, ...]
    fit_s: float
    failure: str | None = None

    @property
    def mean(self) -> float:
        """The mean over the folds; minus infinity if it could not be fitted."""
        return float(np.mean(self.folds)) if self.folds else -np.inf

    @property
    def std(self) -> float:
        """The standard deviation over the folds."""
        return float(np.std(self.folds)) if self.folds else np.nan


@dataclasses.dataclass(frozen=True)
class Comparison:
    """What all models reached, the best first.

    Args:
        metric: By what they were compared; the higher the better.
        scores: One for each model.
        folds: On how many folds.
    """

    metric: str
    scores: tuple[Score, ...]
    folds: int

    @property
    def best(self) -> str:
        """The name of the best model that is not the baseline.

        Raises:
            TableError: If none could be fitted.
        """
        fitted = [entry for entry in self.scores if entry.folds and entry.name != BASELINE]
        if not fitted:
            reasons = "; ".join(f"{entry.name}: {entry.failure}" for entry in self.scores if entry.failure)
            raise TableError(f"no model could be fitted on this table: {reasons}")
        return fitted[0].name

    def __getitem__(self, name: str) -> Score:
        """Return the score of a model."""
        return next(entry for entry in self.scores if entry.name == name)


def compare(
    pipelines: Mapping[str, Any], X: pd.DataFrame, y: pd.Series, validation: CrossValidation
) -> Comparison:
    """Compare models by cross-validation.

    Args:
        pipelines: Unfitted estimators by name.
        X: The inputs to learn from.
        y: Their targets.
        validation: On which folds, and by which metric.
    """
    pairs = validation.pairs(X, y)
    with bar("Comparing", len(pipelines) * len(pairs)) as step:

        def score(name: str, pipeline: Any) -> Score:
            values: list[float] = []
            started = time.perf_counter()
            for pair in pairs:
                try:
                    values.append(validation.score(pipeline, X, y, pair))
                except ValueError as error:
                    # A model that cannot take this table must not end the others' competition; the report says why.
                    return Score(name, (), 0.0, str(error).strip().splitlines()[0])
                step(name)
            return Score(name, tuple(values), (time.perf_counter() - started) / len(pairs))

        scores = [score(name, pipeline) for name, pipeline in pipelines.items()]
    ranked = sorted(scores, key=lambda entry: (entry.name == BASELINE, -entry.mean))
    return Comparison(validation.metric, tuple(ranked), len(pairs))
