"""From the cells of a column to one of the dtypes that models are fitted on."""

from __future__ import annotations

import datetime as dt
import decimal

import numpy as np
import pandas as pd
import pytest

from ekiben.fit.conversion import convert


def converted(values, **settings):
    return convert(pd.Series(values, name="x", **settings))


@pytest.mark.parametrize(
    ("values", "dtype", "result"),
    [
        ([" 1", "2 ", "-3"], "int64", [1, 2, -3]),
        (["1", " ", "2.5e1"], "float64", [1, None, 25]),
        ([".5", "1.", "+0"], "float64", [0.5, 1, 0]),
        (["1", "2", "?", "4", "5", "6"], "float64", [1, 2, None, 4, 5, 6]),
        ([1, None], "float64", [1, None]),
        ([np.inf, 1.0], "float64", [np.inf, 1]),
        ([2**63, 1], "float64", [2.0**63, 1]),
        ([decimal.Decimal("1.5"), None], "float64", [1.5, None]),
        ([True, False], "bool", [True, False]),
        ([True, None], "object", [True, None]),
        (["a", "  ", None], "str", ["a", None, None]),
        (["a", 1, True], "str", ["a", "1", "True"]),
        ([None, None], "str", [None, None]),
        (["2026-11-22", " 2026-11-23 "], "datetime64[us]", ["2026-11-22", "2026-11-23"]),
        (["2026-11-22T10:00:00Z", None], "datetime64[us, UTC]", ["2026-11-22T10:00:00Z", None]),
        ([dt.date(2026, 11, 22), None], "datetime64[us]", ["2026-11-22", None]),
    ],
)
def test_a_column_becomes_what_it_plainly_is(values, dtype, result):
    column, _ = converted(values)
    assert str(column.dtype) == dtype
    expected = (
        pd.to_datetime(pd.Series(result)) if dtype.startswith("datetime") else pd.Series(result, dtype=object)
    )
    assert column.isna().tolist() == expected.isna().tolist()
    assert column.dropna().tolist() == expected.dropna().tolist()


@pytest.mark.parametrize(
    "values",
    [
        ["00501", "10001"],
        ["1 200", "1 300"],
        ["1.200,50", "2"],
        ["0", "1", "2", "3+", "1", "2"],
        ["yes", "no"],
        ["2026-02-30", "2026-02-28"],
        ["1", "a", "b"],
    ],
)
def test_text_that_can_be_read_in_two_ways_stays_text(values):
    column, notes = converted(values)
    assert str(column.dtype) == "str"
    assert column.tolist() == values
    assert notes == []


def test_whole_numbers_that_floats_cannot_tell_apart_stay_text():
    for values in ([10**24 + n for n in range(3)], [str(10**24 + n) for n in range(3)]):
        column, notes = converted(values)
        assert column.tolist() == [str(value) for value in values]
        assert "beyond 2^53" in notes[0]


def test_what_was_done_is_said():
    assert converted(["1", " "])[1] == ["'x': numbers written as text became numbers; 1 blank is missing"]
    assert "'?' is missing" in converted(["1", "2", "?", "4", "5", "6"])[1][0]
    assert "YYYY-MM-DD" in converted(["22/11/2026", "23/11/2026"])[1][0]
    assert "can be a number or a code" in converted(["1E5", "2E7"])[1][0]
    assert "rounded" in converted([2**60, 1])[1][0]
    assert converted(["2026-11-22"])[1] == ["'x': dates became timestamps"]


@pytest.mark.parametrize(
    ("series", "dtype"),
    [
        (pd.Series(["a", "b"], dtype="category"), "str"),
        (pd.Series([1, 2], dtype="category"), "int64"),
        (pd.Series([1, None], dtype="Int64"), "float64"),
        (pd.Series([1, 2], dtype="uint8"), "int64"),
        (pd.Series([True, None], dtype="boolean"), "object"),
        (
            pd.Series(pd.to_datetime(["2026-11-22"]).tz_localize("Europe/Berlin")),
            "datetime64[us, Europe/Berlin]",
        ),
    ],
)
def test_other_dtypes_of_pandas_are_brought_to_the_plain_ones(series, dtype):
    assert str(convert(series.rename("x"))[0].dtype) == dtype


def test_values_that_no_model_takes_are_left_as_they_are():
    column, _ = converted([[1], [2]])
    assert column.tolist() == [[1], [2]]


def test_the_given_column_is_not_changed():
    given = pd.Series([" 1", " "], name="x")
    convert(given)
    assert given.tolist() == [" 1", " "]
