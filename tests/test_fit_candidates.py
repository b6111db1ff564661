"""The models that compete: each one takes each kind of table, without a warning."""

from __future__ import annotations

import numpy as np
import pytest
from fitted_tables import customers

from ekiben import fit
from ekiben.fit.candidates import candidates
from ekiben.fit.threads import one_thread


def tables():
    frame = customers(260)
    three = np.where(frame["months"] < 20, "new", np.where(frame["months"] < 50, "known", "old"))
    numbers = frame[["months", "fee"]].assign(y=frame["months"] * 2.0 + frame["fee"].fillna(0))
    return {
        "two classes, all kinds of columns": fit.prepare(frame, "Churn"),
        "three classes": fit.prepare(frame.drop(columns=["months", "since"]).assign(age=three), "age"),
        "a number, all kinds of columns": fit.prepare(frame, "months"),
        "numbers alone": fit.prepare(numbers, "y"),
        "categories alone": fit.prepare(frame[["contract", "paperless", "Churn"]], "Churn"),
    }


@pytest.mark.parametrize("name", tables())
def test_every_candidate_learns_and_answers_one_row_and_many(name):
    table = tables()[name]
    offered = candidates(table, rows=len(table.X), seed=0, quick=True)
    assert {entry.name for entry in offered} > {
        "baseline",
        "tree",
        "forest",
        "xgboost",
        "histgradientboosting",
        "svm",
        "mlp",
    }
    for entry in offered:
        fitted = entry.pipeline.fit(table.X, table.y)
        many = fitted.predict(table.X.head(3))
        np.testing.assert_allclose(fitted.predict(table.X.head(1)), many[:1], rtol=1e-5)
        if table.classes is not None:
            assert fitted.predict_proba(table.X.head(3)).shape == (3, len(table.classes))


@pytest.mark.parametrize("name", ["two classes, all kinds of columns", "a number, all kinds of columns"])
def test_values_that_training_did_not_see_are_answered(name):
    table = tables()[name]
    strange = table.X.head(2).copy()
    strange["plan [GB]"] = ["by the minute", np.nan]
    strange["fee"] = [np.nan, 1e6]
    for entry in candidates(table, rows=len(table.X), seed=0, quick=True):
        assert np.isfinite(
            np.asarray(entry.pipeline.fit(table.X, table.y).predict(strange), dtype=float)
        ).all()


def test_the_rows_decide_who_competes():
    table = fit.prepare(customers(60), "Churn")
    names = {entry.name for entry in candidates(table, rows=60, seed=0, quick=True)}
    assert "mlp" not in names
    names = {entry.name for entry in candidates(table, rows=1_000_000, seed=0, quick=True)}
    assert not names & {"svm", "mlp", "forest"}


def test_the_seed_decides_on_everything():
    table = fit.prepare(customers(260), "Churn")
    answers = [
        [
            one_thread(entry.pipeline.fit(table.X, table.y)).predict_proba(table.X)
            for entry in candidates(table, rows=260, seed=7, quick=True)
        ]
        for _ in range(2)
    ]
    for once, again in zip(*answers, strict=True):
        np.testing.assert_array_equal(once, again)
