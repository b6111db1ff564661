"""Candidates: the models that compete for a table, each a whole pipeline with the ranges that its tuning searches."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, SVR
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from ekiben.fit import preprocessing
from ekiben.fit.threads import MANY_ROWS

if TYPE_CHECKING:
    from collections.abc import Callable

    from ekiben.fit.table import Table

MOST_ROWS_FOR_SVM = 5_000
"""A support vector machine takes time with the square of the rows: above this it does not compete."""
MOST_ROWS_FOR_FOREST = 100_000
"""A forest grows with the rows, in memory and on disk: above this it does not compete."""
FEWEST_ROWS_FOR_MLP = 200
"""A neural net that stops early needs rows to see when: below this it does not compete."""
MOST_ROWS_FOR_MLP = 100_000
"""It passes over the rows many times, one small batch after the other: above this it does not compete."""


@dataclasses.dataclass(frozen=True)
class Candidate:
    """A model that competes.

    Args:
        name: What it is called in tables: `xgboost`.
        pipeline: From the columns of the table to the prediction; not fitted.
        space: Takes an Optuna trial and returns parameters of the pipeline; None if there is nothing to tune.
    """

    name: str
    pipeline: Any
    space: Callable[[Any], dict[str, Any]] | None = None


def candidates(table: Table, *, rows: int, seed: int, quick: bool) -> list[Candidate]:
    """Return the models that suit a table: a baseline, linear, tree, forest, boosting, and where rows allow, more.

    Args:
        table: The table, prepared.
        rows: How many rows the best of them will be fitted on.
        seed: For everything that is drawn at random.
        quick: Whether smaller ensembles will do.
    """
    found = [
        _baseline(table),
        _linear(table),
        _tree(table, seed),
        _histograms(table, seed, quick=quick),
        _xgboost(table, seed, quick=quick, threads=-1 if rows >= MANY_ROWS else 1),
    ]
    if rows <= MOST_ROWS_FOR_FOREST:
        found.append(_forest(table, seed, trees=100 if quick else 200))
    smallest_class = rows if table.classes is None else int(table.y.value_counts().min())
    if rows <= MOST_ROWS_FOR_SVM and smallest_class >= 15:
        found.append(_svm(table))
    if FEWEST_ROWS_FOR_MLP <= rows <= MOST_ROWS_FOR_MLP and smallest_class >= 15:
        found.append(_mlp(table, seed))
    return found


def _pipeline(columns: Any, model: Any) -> Pipeline:
    return Pipeline([("columns", columns), ("model", model)])


def _baseline(table: Table) -> Candidate:
    """Return the guess that knows nothing of the columns: the share of each class, or the mean."""
    model = DummyRegressor() if table.classes is None else DummyClassifier(strategy="prior")
    return Candidate("baseline", _pipeline(preprocessing.for_trees(table), model))


def _linear(table: Table) -> Candidate:
    columns = preprocessing.for_distances(table)
    if table.classes is None:
        return Candidate(
            "ridge",
            _pipeline(columns, Ridge(alpha=1.0)),
            lambda trial: {"model__alpha": trial.suggest_float("alpha", 1e-3, 1e3, log=True)},
        )
    return Candidate(
        "logistic",
        _pipeline(columns, LogisticRegression(C=1.0, max_iter=5_000)),
        lambda trial: {"model__C": trial.suggest_float("C", 1e-3, 1e2, log=True)},
    )


def _tree(table: Table, seed: int) -> Candidate:
    kind = DecisionTreeRegressor if table.classes is None else DecisionTreeClassifier
    return Candidate(
        "tree",
        _pipeline(preprocessing.for_trees(table), kind(min_samples_leaf=10, random_state=seed)),
        lambda trial: {
            "model__max_depth": trial.suggest_int("max_depth", 2, 16),
            "model__min_samples_leaf": trial.suggest_int("min_samples_leaf", 1, 60, log=True),
        },
    )


def _forest(table: Table, seed: int, trees: int) -> Candidate:
    kind = RandomForestRegressor if table.classes is None else RandomForestClassifier
    return Candidate(
        "forest",
        _pipeline(
            preprocessing.for_trees(table), kind(trees, min_samples_leaf=2, n_jobs=-1, random_state=seed)
        ),
        lambda trial: {
            "model__max_features": trial.suggest_float("max_features", 0.1, 1.0),
            "model__min_samples_leaf": trial.suggest_int("min_samples_leaf", 1, 20, log=True),
        },
    )


def _histograms(table: Table, seed: int, *, quick: bool) -> Candidate:
    kind = HistGradientBoostingRegressor if table.classes is None else HistGradientBoostingClassifier
    model = kind(
        max_iter=100 if quick else 150,
        categorical_features=None,
        early_stopping=False,
        random_state=seed,
    )
    most = 200 if quick else 500
    return Candidate(
        "histgradientboosting",
        _pipeline(preprocessing.for_boosting(table), model),
        lambda trial: {
            "model__learning_rate": trial.suggest_float("learning_rate", 0.02, 0.3, log=True),
            "model__max_iter": trial.suggest_int("max_iter", 50, most, log=True),
            "model__max_leaf_nodes": trial.suggest_int("max_leaf_nodes", 4, 64, log=True),
            "model__min_samples_leaf": trial.suggest_int("min_samples_leaf", 5, 80, log=True),
            "model__l2_regularization": trial.suggest_float("l2_regularization", 1e-3, 10, log=True),
        },
    )


def _xgboost(table: Table, seed: int, *, quick: bool, threads: int) -> Candidate:
    from xgboost import XGBClassifier, XGBRegressor  # noqa: PLC0415 - 0.5 s that the other candidates do not need

    kind = XGBRegressor if table.classes is None else XGBClassifier
    most = 200 if quick else 500
    model = kind(
        n_estimators=100 if quick else 150,
        learning_rate=0.1,
        max_depth=5,
        n_jobs=threads,
        random_state=seed,
    )
    return Candidate(
        "xgboost",
        _pipeline(preprocessing.for_boosting(table), model),
        lambda trial: {
            "model__learning_rate": trial.suggest_float("learning_rate", 0.02, 0.3, log=True),
            "model__n_estimators": trial.suggest_int("n_estimators", 50, most, log=True),
            "model__max_depth": trial.suggest_int("max_depth", 2, 8),
            "model__min_child_weight": trial.suggest_float("min_child_weight", 1, 20, log=True),
            "model__subsample": trial.suggest_float("subsample", 0.6, 1.0),
            "model__colsample_bytree": trial.suggest_float("colsample_bytree", 0.5, 1.0),
            "model__reg_lambda": trial.suggest_float("reg_lambda", 0.1, 20, log=True),
        },
    )


def _svm(table: Table) -> Candidate:
    columns = preprocessing.for_distances(table)
    if table.classes is None:
        scaled = TransformedTargetRegressor(SVR(C=1.0), transformer=StandardScaler())
        return Candidate(
            "svm", _pipeline(columns, scaled), lambda trial: _svm_space(trial, "model__regressor")
        )
    # The machine gives distances; a sigmoid fitted on held-out folds makes probabilities of them.
    calibrated = CalibratedClassifierCV(SVC(C=1.0), cv=3, ensemble=False)
    return Candidate(
        "svm", _pipeline(columns, calibrated), lambda trial: _svm_space(trial, "model__estimator")
    )


def _svm_space(trial: Any, prefix: str) -> dict[str, Any]:
    return {
        f"{prefix}__C": trial.suggest_float("C", 1e-2, 3e1, log=True),
        f"{prefix}__gamma": trial.suggest_float("gamma", 1e-4, 1, log=True),
    }


def _mlp(table: Table, seed: int) -> Candidate:
    # It stops when five passes over the rows gain less than `tol`, long before `max_iter`. Classes are judged by the
    # loss itself: the accuracy on rows kept aside, by which early stopping goes, does not move where one class is rare.
    settings = {"hidden_layer_sizes": (32,), "n_iter_no_change": 5, "tol": 1e-3, "max_iter": 1_000}
    settings |= {"learning_rate_init": 3e-3, "random_state": seed}
    prefix, model = "model", MLPClassifier(**settings)
    if table.classes is None:
        prefix = "model__regressor"
        model = TransformedTargetRegressor(
            MLPRegressor(early_stopping=True, **settings), transformer=StandardScaler()
        )

    def space(trial: Any) -> dict[str, Any]:
        layers = trial.suggest_categorical("hidden_layers", ["16", "64", "64-32"])
        return {
            f"{prefix}__hidden_layer_sizes": tuple(int(units) for units in layers.split("-")),
            f"{prefix}__alpha": trial.suggest_float("alpha", 1e-6, 1e-1, log=True),
            f"{prefix}__learning_rate_init": trial.suggest_float("learning_rate_init", 5e-4, 1e-2, log=True),
        }

    return Candidate("mlp", _pipeline(preprocessing.for_distances(table), model), space)
