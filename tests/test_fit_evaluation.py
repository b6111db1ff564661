"""Figures that say how good predictions are."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from ekiben import fit
from ekiben.errors import TableError
from ekiben.fit.evaluation import METRIC, recall_at, score

X = pd.DataFrame({"x": np.arange(60.0)})
TARGETS = {
    "binary": (X["x"] > 30).astype(int),
    "multiclass": (X["x"] // 20).astype(int),
    "regression": X["x"] * 2,
}


@pytest.mark.parametrize(
    ("task", "names"),
    [
        ("binary", "roc_auc average_precision accuracy f1 precision recall log_loss brier"),
        ("multiclass", "macro_f1 accuracy balanced_accuracy log_loss"),
        ("regression", "r2 rmse mae"),
    ],
)
def test_each_task_has_its_figures_and_they_are_plain_numbers(task, names):
    model = DecisionTreeRegressor() if task == "regression" else DecisionTreeClassifier()
    figures = fit.evaluate(model.fit(X, TARGETS[task]), X, TARGETS[task], task)
    assert list(figures) == names.split()
    assert all(type(value) is float and math.isfinite(value) for value in figures.values())
    assert figures[METRIC[task]] == 1


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_a_model_that_knows_nothing_is_judged_without_a_warning(task):
    model = DummyRegressor() if task == "regression" else DummyClassifier()
    model.fit(X, TARGETS[task])
    assert fit.evaluate(model, X, TARGETS[task], task)[METRIC[task]] <= 0.5


def test_a_curve_that_needs_two_classes_is_left_out_where_one_stands_alone():
    model = DecisionTreeClassifier().fit(X, TARGETS["binary"])
    assert "roc_auc" not in fit.evaluate(model, X.head(10), TARGETS["binary"].head(10), "binary")


def test_the_higher_the_better_for_all_metrics_to_choose_by():
    good = DecisionTreeClassifier().fit(X, TARGETS["binary"])
    poor = DummyClassifier().fit(X, TARGETS["binary"])
    for metric in ("roc_auc", "average_precision", "macro_f1", "neg_log_loss"):
        assert score(good, X, TARGETS["binary"], metric) > score(poor, X, TARGETS["binary"], metric)
    with pytest.raises(TableError, match="no metric 'auc'"):
        score(good, X, TARGETS["binary"], "auc")


def test_recall_is_read_off_at_a_share_of_false_alarms():
    rng = np.random.default_rng(0)
    truth = np.r_[np.zeros(1000), np.ones(100)]
    probability = np.r_[rng.random(1000), rng.random(100) / 2 + 0.5]
    threshold = np.quantile(probability[:1000], 0.9)
    assert recall_at(truth, probability, 0.1) == pytest.approx(
        (probability[1000:] >= threshold).mean(), abs=0.02
    )
    assert recall_at(truth, probability, 1.0) == 1.0
