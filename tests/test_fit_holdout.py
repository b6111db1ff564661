"""Rows that are held out, and folds."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from fitted_tables import customers

from ekiben import fit
from ekiben.errors import TableError


def test_a_fifth_is_held_out_with_the_same_share_of_each_class():
    table = fit.prepare(customers(500), "Churn")
    part = fit.split(table, seed=3)
    assert len(part.X_test) == len(part.y_test) == 100
    assert abs(part.y_test.mean() - part.y_train.mean()) < 0.01
    assert not set(part.X_test.index) & set(part.X_train.index)


def test_the_seed_decides_which():
    table = fit.prepare(customers(), "Churn")
    assert fit.split(table, seed=1).X_test.index.equals(fit.split(table, seed=1).X_test.index)
    assert not fit.split(table, seed=1).X_test.index.equals(fit.split(table, seed=2).X_test.index)


def test_by_time_the_last_fifth_is_held_out():
    frame = customers()
    part = fit.split(fit.prepare(frame, "Churn", time="since"))
    assert part.X_train["since"].max() <= part.X_test["since"].min()
    assert part.X_train["since"].is_monotonic_increasing


def test_a_class_that_only_comes_late_is_refused():
    frame = pd.DataFrame(
        {"x": np.random.default_rng(0).normal(size=100), "t": range(100), "y": [0] * 90 + [1] * 10}
    )
    with pytest.raises(TableError, match="do not hold every class of 'y'"):
        fit.split(fit.prepare(frame, "y", time="t"))


def test_folds_hold_every_class_even_where_one_is_rare():
    y = pd.Series([0] * 50 + [1] * 3)
    X = pd.DataFrame({"x": range(53)})
    pairs = fit.CrossValidation("binary", folds=5).pairs(X, y)
    assert len(pairs) == 3
    assert all(y.iloc[checked].sum() == 1 for _, checked in pairs)


def test_folds_by_time_are_checked_on_later_rows():
    X = pd.DataFrame({"x": range(60)})
    pairs = fit.CrossValidation("regression", folds=4, by_time=True).pairs(X, pd.Series(range(60)))
    assert len(pairs) == 4
    assert all(learned.max() < checked.min() for learned, checked in pairs)
