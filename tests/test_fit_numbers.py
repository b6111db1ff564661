"""Which texts are numbers, and which are only nearly so."""

from __future__ import annotations

import pandas as pd
import pytest

from ekiben.fit.numbers import comma_numbers, numbers, resemblance


@pytest.mark.parametrize(
    ("texts", "values"),
    [
        (["1", "-2"], [1, -2]),
        (["+1", ".5"], [1, 0.5]),
        (["1e-05", "3"], [1e-05, 3]),
        (["1.5", "2e3"], [1.5, 2000]),
        (["1", "inf"], [1, float("inf")]),
        (["0.1234567890123456789", "1"], [0.1234567890123456789, 1]),
        (["9007199254740992"], [2**53]),
    ],
)
def test_plain_numbers_are_read_exactly(texts, values):
    found = numbers(pd.Series(texts))
    assert found is not None
    assert found.tolist() == values


@pytest.mark.parametrize(
    "texts", [["01", "2"], ["1E5", "2"], ["1,5"], ["inf"], ["1", "x"], ["9007199254740993"], []]
)
def test_what_can_be_something_else_is_no_number(texts):
    assert numbers(pd.Series(texts, dtype="str")) is None


def test_numbers_with_a_decimal_comma_may_have_an_exponent_or_be_infinite():
    found = comma_numbers(pd.Series(["1,5e-05", "inf", "-3"]))
    assert found is not None
    assert found.tolist() == [1.5e-05, float("inf"), -3]


@pytest.mark.parametrize("texts", [["1.5", "1,5"], ["1", "2"], ["1.234,5"], ["01,5"]])
def test_a_decimal_comma_is_read_only_where_all_values_fit(texts):
    assert comma_numbers(pd.Series(texts)) is None


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        (["53,46", "7,1"], "decimal comma"),
        (["5,025.31", "312.5"], "commas between the thousands"),
        (["53%", "7%"], "a unit"),
        (["53.46 EUR", "7 EUR"], "a unit"),
        (["$5", "$6.50"], "a currency"),
        (["EUR 5", "EUR 6.50"], "a currency"),
    ],
)
def test_what_is_nearly_a_number_is_named(texts, words):
    found = resemblance(pd.Series(texts))
    assert found is not None
    assert words in found


@pytest.mark.parametrize("texts", [["red", "blue"], ["M1", "M2"], ["1", "2"], ["", " "]])
def test_what_is_nothing_like_a_number_is_not(texts):
    assert resemblance(pd.Series(texts)) is None
