"""What the texts of a CSV file are."""

from __future__ import annotations

import pandas as pd
import pytest

from ekiben.fit.cells import MISSING_WORDS, plain
from ekiben.score import cells as scored


def test_learning_and_scoring_know_the_same_words_for_nothing():
    assert MISSING_WORDS == scored.MISSING_WORDS


@pytest.mark.parametrize(
    ("texts", "dtype", "values"),
    [
        ([" 1", "2 "], "int64", [1, 2]),
        (["1", " NA "], "float64", [1, None]),
        (["00501", "10001"], "str", ["00501", "10001"]),
        (["01", "02"], "str", ["01", "02"]),
        (["1E5", "2E7"], "str", ["1E5", "2E7"]),
        (["TRUE", "false"], "bool", [True, False]),
        (["True", ""], "object", [True, None]),
        (["DE", "NA", " NA", "None"], "str", ["DE", None, " NA", "None"]),
        (["", "NULL"], "str", [None, None]),
        (["53,46", "7"], "str", ["53,46", "7"]),
    ],
)
def test_a_cell_is_what_it_plainly_is(texts, dtype, values):
    column, _ = plain(pd.Series(texts, name="x"))
    assert str(column.dtype) == dtype
    assert [None if pd.isna(value) else value for value in column] == values


def test_decimal_commas_are_read_where_they_may_be():
    column, said = plain(pd.Series(["53,46", "", "7"], name="a"), decimal_comma=True)
    assert column.dropna().tolist() == [53.46, 7]
    assert said == ["'a': commas are read as decimal points ('53,46' is 53.46)"]


def test_words_for_nothing_are_counted():
    _, said = plain(pd.Series(["DE", "NA", "", "NA", "NULL"], name="country"))
    assert said == [
        "'country': 'NA' taken as missing in 2 rows",
        "'country': 'NULL' taken as missing in 1 row",
    ]
