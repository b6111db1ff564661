"""Tuning: the search for the settings of a model, by Optuna's tree-structured Parzen estimator.

J. Bergstra et al., "Algorithms for Hyper-Parameter Optimization", NeurIPS 2011. The first trial is the model as it is,
so that tuning never ends below where it began; a trial that is worse than the median of the earlier ones after some
folds is given up.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import clone

from ekiben.errors import MissingExtraError
from ekiben.fit.progress import bar

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from ekiben.fit.validation import CrossValidation


@dataclasses.dataclass(frozen=True)
class Tuned:
    """What the search found.

    Args:
        pipeline: The pipeline with the best settings, not fitted.
        params: Those that differ from where it began; empty if nothing better was found.
        metric: By what.
        start: The metric before the search, mean over the folds.
        score: The metric with the best settings, mean over the folds.
        trials: How many settings were tried.
        wanted: How many were to be tried.
        timeout_s: After how many seconds no further trial was begun.
    """

    pipeline: Any
    params: dict[str, Any]
    metric: str
    start: float
    score: float
    trials: int
    wanted: int
    timeout_s: float


def tune(
    pipeline: Any,
    space: Callable[[Any], dict[str, Any]],
    X: pd.DataFrame,
    y: pd.Series,
    validation: CrossValidation,
    *,
    trials: int = 30,
    timeout_s: float = 60.0,
) -> Tuned:
    """Search for better settings of a pipeline.

    Args:
        pipeline: The unfitted pipeline.
        space: Takes an Optuna trial, and returns parameters for `pipeline.set_params`.
        X: The inputs to learn from.
        y: Their targets.
        validation: On which folds, by which metric, and from which seed.
        trials: How many settings are tried, beside those that it has.
        timeout_s: After so many seconds no further trial begins. Only then does the result depend on the machine.

    Raises:
        MissingExtraError: If Optuna is not installed.
    """
    try:
        import optuna  # noqa: PLC0415 - an optional library
    except ImportError as error:
        raise MissingExtraError("optuna", "train", "tuning") from error
    metric, pairs = validation.metric, validation.pairs(X, y)
    start = float(np.mean([validation.score(pipeline, X, y, pair) for pair in pairs]))

    def objective(trial: Any) -> float:
        candidate = clone(pipeline).set_params(**space(trial))
        values: list[float] = []
        for place, pair in enumerate(pairs):
            values.append(validation.score(candidate, X, y, pair))
            trial.report(float(np.mean(values)), place)
            if place < len(pairs) - 1 and trial.should_prune():
                raise optuna.TrialPruned
        return float(np.mean(values))

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(
        direction="maximize",
        sampler=optuna.samplers.TPESampler(
            seed=validation.seed, n_startup_trials=min(8, max(2, trials // 2))
        ),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=4),
    )
    with bar("Tuning", trials) as step:
        study.optimize(
            objective,
            n_trials=trials,
            timeout=timeout_s,
            callbacks=[lambda study, _: step(f"best {metric} {max(start, _best(study)):.4f}")],
        )
    improved = _best(study) > start
    params = space(optuna.trial.FixedTrial(study.best_params)) if improved else {}
    tuned = clone(pipeline).set_params(**params)
    return Tuned(tuned, params, metric, start, max(start, _best(study)), len(study.trials), trials, timeout_s)


def _best(study: Any) -> float:
    """Return the best value so far; minus infinity while no trial went through."""
    values = [
        trial.value for trial in study.trials if trial.value is not None and trial.state.name == "COMPLETE"
    ]
    return max(values, default=-np.inf)
