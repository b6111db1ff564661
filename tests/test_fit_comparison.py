"""Models are compared on rows that they have not seen."""

from __future__ import annotations

import pytest
from fitted_tables import customers
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.tree import DecisionTreeClassifier

from ekiben import fit
from ekiben.errors import TableError
from ekiben.fit.preprocessing import for_distances, for_trees


@pytest.fixture
def table():
    return fit.prepare(customers(), "Churn")


def test_the_best_comes_first_and_the_baseline_last(table):
    pipelines = {
        "baseline": DummyClassifier(),
        "stump": make_pipeline(for_trees(table), DecisionTreeClassifier(max_depth=1)),
        "logistic": make_pipeline(for_distances(table), LogisticRegression()),
    }
    comparison = fit.compare(pipelines, table.X, table.y, fit.CrossValidation("binary", folds=4))
    assert [entry.name for entry in comparison.scores] == ["logistic", "stump", "baseline"]
    assert (comparison.metric, comparison.folds, comparison.best) == ("roc_auc", 4, "logistic")
    assert len(comparison["stump"].folds) == 4
    assert comparison["baseline"].mean == 0.5


def test_a_model_that_cannot_take_the_table_is_shown_with_its_reason_and_never_the_best(table):
    pipelines = {
        "raw": LogisticRegression(),
        "tree": make_pipeline(for_trees(table), DecisionTreeClassifier()),
    }
    comparison = fit.compare(pipelines, table.X, table.y, fit.CrossValidation("binary", folds=3))
    assert comparison.best == "tree"
    assert comparison["raw"].failure
    with pytest.raises(TableError, match="no model could be fitted on this table: raw"):
        _ = fit.compare({"raw": LogisticRegression()}, table.X, table.y, fit.CrossValidation("binary")).best


def test_the_models_given_are_not_fitted(table):
    tree = make_pipeline(for_trees(table), DecisionTreeClassifier())
    fit.compare({"tree": tree}, table.X, table.y, fit.CrossValidation("binary", folds=3))
    assert not hasattr(tree[-1], "tree_")
