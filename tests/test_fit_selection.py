"""Which columns say something."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from ekiben.fit.selection import is_identifier, select

ROWS = 200


def frame(**columns):
    rng = np.random.default_rng(0)
    return pd.DataFrame({"x": rng.normal(size=ROWS), **columns})


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([7] * ROWS, "it is 7 in every row"),
        ([np.nan] * ROWS, "every value is missing"),
        ([1.0] + [np.nan] * (ROWS - 1), "it has 1 value in 200 rows"),
        ([2**60 + n * 7 for n in range(ROWS)], "names the rows"),
        ([f"{n},5" for n in range(ROWS)], r"it looks like numbers with a decimal comma \('0,5'\)"),
        (range(ROWS), "names the rows"),
        (range(ROWS, 0, -1), "names the rows"),
        ([f"M{n}" for n in range(ROWS)], "names the rows"),
        ([f"words {n // 2}" for n in range(ROWS)], "free text"),
        ([[n] for n in range(ROWS)], r"its kind \(list\)"),
    ],
)
def test_a_column_that_says_nothing_is_left_out_and_named(values, words):
    left, notes = select(frame(useless=list(values)))
    assert list(left.columns) == ["x"]
    assert len(notes) == 1
    assert pd.Series(notes).str.contains(f"'useless' is left out: .*{words}").all()


@pytest.mark.parametrize(
    "values",
    [
        np.linspace(0, 1, ROWS),
        np.arange(ROWS) * 3,
        np.arange(ROWS) % 50,
        ["a", "b"] * (ROWS // 2),
        [True, False] * (ROWS // 2),
        [1.0, np.nan] * (ROWS // 2),
        pd.date_range("2026-01-01", periods=ROWS, unit="us"),
    ],
)
def test_a_column_that_may_say_something_stays(values):
    left, notes = select(frame(useful=values))
    assert list(left.columns) == ["x", "useful"]
    assert notes == []


@pytest.mark.parametrize("name", ["id", "customerID", "PassengerId", "row number", "order_no", "UUID"])
def test_different_whole_numbers_under_the_name_of_an_identifier_are_one(name):
    numbers = np.random.default_rng(0).permutation(10_000)[:ROWS]
    assert is_identifier(pd.Series(numbers, name=name))
    assert not is_identifier(pd.Series(numbers // 100, name=name))
    assert not is_identifier(pd.Series(numbers + 0.5, name=name))


@pytest.mark.parametrize("name", ["paid", "width", "turnover", "humidity"])
def test_a_name_that_only_ends_like_an_identifier_is_none(name):
    assert not is_identifier(pd.Series(np.random.default_rng(0).permutation(10_000)[:ROWS], name=name))


def test_a_column_that_repeats_an_earlier_one_is_left_out():
    x = frame()["x"]
    left, notes = select(pd.DataFrame({"x": x, "again": x.copy(), "other": x + 1}))
    assert list(left.columns) == ["x", "other"]
    assert notes == ["'again' is left out: it repeats 'x' value by value"]


def test_a_column_that_somebody_wants_to_keep_stays():
    left, notes = select(frame(number=range(ROWS)), keep=["number"])
    assert list(left.columns) == ["x", "number"]
    assert notes == []
