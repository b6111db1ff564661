"""Better settings are searched for, and never worse ones taken."""

from __future__ import annotations

import pytest
from fitted_tables import customers
from sklearn.pipeline import Pipeline
from sklearn.tree import DecisionTreeClassifier

from ekiben import fit
from ekiben.fit.preprocessing import for_trees


@pytest.fixture
def table():
    return fit.prepare(customers(), "Churn")


def tree(table, **settings):
    return Pipeline(
        [("columns", for_trees(table)), ("model", DecisionTreeClassifier(random_state=0, **settings))]
    )


def depth(trial):
    return {"model__max_depth": trial.suggest_int("max_depth", 1, 5)}


def test_a_better_setting_is_found_and_the_seed_decides_which(table):
    validation = fit.CrossValidation("binary", folds=3, seed=5)
    once, again = (fit.tune(tree(table), depth, table.X, table.y, validation, trials=6) for _ in range(2))
    assert once.score > once.start
    assert once.params == again.params
    assert once.pipeline.get_params()["model__max_depth"] == once.params["model__max_depth"]
    assert once.trials == 6


def test_where_nothing_is_better_the_pipeline_stays_as_it_is(table):
    poor = lambda trial: {"model__max_depth": 1, "model__max_features": trial.suggest_int("n", 1, 1)}  # noqa: E731 - a space
    tuned = fit.tune(
        tree(table, max_depth=3), poor, table.X, table.y, fit.CrossValidation("binary"), trials=2
    )
    assert tuned.params == {}
    assert tuned.score == tuned.start
    assert tuned.pipeline.get_params()["model__max_depth"] == 3


def test_the_search_ends_when_its_time_is_over(table):
    tuned = fit.tune(
        tree(table), depth, table.X, table.y, fit.CrossValidation("binary"), trials=500, timeout_s=0.3
    )
    assert 0 < tuned.trials < 500
