"""What was done and reached is printed for people."""

from __future__ import annotations

import io

import pytest
from fitted_tables import customers
from rich.console import Console
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier

from ekiben import fit


def shown(*things):
    screen = io.StringIO()
    fit.show(*things, console=Console(file=screen, width=120))
    return screen.getvalue()


@pytest.fixture
def table():
    return fit.prepare(customers()[["months", "Churn"]].rename(columns={"months": "months [n]"}), "Churn")


def test_a_table_is_told_with_its_sentences(table):
    text = shown(table)
    assert "300 rows; columns: 1 number; target 'Churn' (binary)" in text
    assert "· 'yes' is taken as the positive label" in text


def test_names_with_brackets_are_printed_as_they_are():
    assert shown("column 'months [n]'") == "column 'months [n]'\n"


def test_a_comparison_is_a_table_of_means_and_deviations(table):
    models = {"baseline": DummyClassifier(), "tree": DecisionTreeClassifier(max_depth=2)}
    text = shown(fit.compare(models, table.X, table.y, fit.CrossValidation("binary", folds=3)))
    assert "3-fold cross-validation" in text
    assert "roc_auc" in text
    assert "0.5000 ± 0.0000" in text


def test_tuning_says_from_where_to_where_and_when_it_was_stopped(table):
    space = lambda trial: {"C": trial.suggest_float("C", 1e-3, 1e3, log=True)}  # noqa: E731 - a space
    tuned = fit.tune(
        LogisticRegression(),
        space,
        table.X,
        table.y,
        fit.CrossValidation("binary"),
        trials=400,
        timeout_s=0.2,
    )
    text = shown(tuned)
    assert text.startswith(f"tuned: roc_auc {tuned.start:.4f} -> {tuned.score:.4f}")
    assert "stopped after 0.2 s" in text


def test_figures_are_a_line():
    assert shown({"r2": 0.95811, "rmse": 37.04}) == "  r2 0.9581, rmse 37.04\n"
