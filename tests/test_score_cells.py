from __future__ import annotations

import datetime as dt
import math

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ekiben.score.cells import MISSING_WORDS, read_cells
from ekiben.signature import Column, Output, Signature

COLUMNS = {
    "float": Column(name="c", kind="float", dtype="float64", nullable=True),
    "integer": Column(name="c", kind="integer", dtype="Int64", nullable=True),
    "boolean": Column(name="c", kind="boolean", dtype="boolean", nullable=True),
    "text": Column(name="c", kind="text", dtype="str", nullable=True),
    "word": Column(name="c", kind="category", dtype="str", categories=("red", "NA", " x "), nullable=True),
    "size": Column(name="c", kind="category", dtype="category", categories=(1, 2, 3), nullable=True),
    "share": Column(name="c", kind="category", dtype="category", categories=(0.5, 1.0), nullable=True),
    "naive": Column(name="c", kind="timestamp", dtype="datetime64[us]", nullable=True),
    "aware": Column(name="c", kind="timestamp", dtype="datetime64[us, UTC]", nullable=True),
}

TEXTS = st.one_of(
    st.sampled_from(
        [
            *(
                "",
                " ",
                "1",
                " 2 ",
                "+3",
                "-0",
                "007",
                "1.0",
                "2.50",
                ".5",
                "5.",
                "1e3",
                "1E-3",
                "1e999",
                "inf",
                "-inf",
            ),
            *(
                "1_000",
                "0x10",
                "1,5",
                "true",
                "FALSE",
                "yes",
                "red",
                "NA",
                " x ",
                "9223372036854775808",
                "9" * 30,
            ),
            *("2026-01-31", "2026-02-30", "2026-01-31 08:00", "2026-01-31T08:00:00", "2026-01-31T08:00:00Z"),
            *(
                "2026-01-31 08:00:00.123456789",
                "2026-01-31T08:00:00.5+01:00",
                "2026-01-31T08:00:00+0100",
                "08:00",
            ),
            *MISSING_WORDS,
        ]
    ),
    st.floats().map(repr),
    st.integers(-(2**70), 2**70).map(str),
    st.text(max_size=5),
)


def signature_of(column):
    return Signature(columns=(column,), output=Output(kind="number"), example={}, container="pandas")


def checked(texts, column):
    """Return for each cell what the model gets, or why it gets nothing."""
    frame = pd.DataFrame({"c": read_cells(pa.chunked_array([texts], pa.string()), column)})
    found = signature_of(column).check_frame(frame)
    right = dict(zip(found.positions.tolist(), found.frame["c"].tolist(), strict=True))
    wrong = {
        row: problems[0].message.removeprefix(f"row {row}: ") for row, problems in found.problems.items()
    }
    return [repr(right[row]) if row in right else wrong[row] for row in range(len(texts))]


@pytest.mark.parametrize("name", COLUMNS)
@given(texts=st.lists(TEXTS | st.none(), min_size=1, max_size=12))
def test_a_cell_means_the_same_whatever_stands_around_it(name, texts):
    column = COLUMNS[name]
    assert checked(texts, column) == [checked([text], column)[0] for text in texts]


@given(numbers=st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1))
def test_a_number_is_read_as_exactly_as_it_was_written(numbers):
    read = read_cells(pa.chunked_array([[repr(number) for number in numbers]]), COLUMNS["float"])
    assert read.tolist() == numbers


@given(numbers=st.lists(st.integers(-(2**63), 2**63 - 1) | st.none(), min_size=1))
def test_whole_numbers_keep_all_their_digits(numbers):
    texts = [None if number is None else str(number) for number in numbers]
    read = read_cells(pa.chunked_array([texts], pa.string()), COLUMNS["integer"])
    assert [None if pd.isna(number) else int(number) for number in read] == numbers


@given(text=st.text(min_size=1).filter(lambda text: text.strip() and text not in MISSING_WORDS))
def test_text_stays_as_it_is(text):
    assert read_cells(pa.chunked_array([[text]], pa.string()), COLUMNS["text"]).tolist() == [text]


@pytest.mark.parametrize("name", COLUMNS)
@pytest.mark.parametrize("text", ["", "  ", None, "NaN", "null", "#N/A"])
def test_blanks_and_words_for_nothing_are_missing(name, text):
    assert read_cells(pa.chunked_array([[text]], pa.string()), COLUMNS[name]).isna().all()


def test_a_word_for_nothing_that_is_a_category_is_that_category():
    assert read_cells(pa.chunked_array([["NA", " x ", "NaN"]]), COLUMNS["word"]).tolist() == [
        "NA",
        " x ",
        None,
    ]


def test_a_word_for_nothing_in_a_text_that_may_not_be_missing_is_a_text():
    column = Column(name="c", kind="text", dtype="str")
    assert read_cells(pa.chunked_array([["NA", ""]]), column).tolist() == ["NA", None]


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("float", " 1.5 ", 1.5),
        ("integer", "3.0", 3),
        ("integer", "+7", 7),
        ("boolean", "True", True),
        ("boolean", "0", False),
        ("size", "2", 2),
        ("size", "2.0", 2),
        ("share", "1", 1.0),
        ("naive", "2026-01-31", dt.datetime(2026, 1, 31)),  # noqa: DTZ001 - without a zone
        ("naive", "2026-01-31 08:00", dt.datetime(2026, 1, 31, 8)),  # noqa: DTZ001 - as above
        ("aware", "2026-01-31T08:00:00+01:00", dt.datetime(2026, 1, 31, 7, tzinfo=dt.UTC)),
    ],
)
def test_what_people_write_is_understood(name, text, value):
    assert checked([text], COLUMNS[name]) == checked_value(value, COLUMNS[name])


def checked_value(value, column):
    frame = pd.DataFrame({"c": [value]}, dtype=object)
    return [repr(signature_of(column).check_frame(frame).frame["c"].tolist()[0])]


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("float", "1,5", "column 'c' is \"1,5\"; expected a number"),
        ("float", "inf", "expected a number"),
        ("integer", "1.5", "column 'c' is 1.5; expected a whole number"),
        ("integer", "9223372036854775808", "expected a whole number"),
        ("boolean", "yes", "expected true or false"),
        ("size", "4", "expected one of 1, 2, 3"),
        ("naive", "31.01.2026", "expected an ISO 8601 timestamp"),
        ("naive", "2026-02-30", "expected an ISO 8601 timestamp"),
        ("naive", "2026-01-31T08:00:00Z", "without an offset"),
        ("aware", "2026-01-31T08:00:00", "with its offset"),
    ],
)
def test_what_is_something_else_is_refused_in_the_words_of_the_signature(name, text, said):
    assert said in checked([text], COLUMNS[name])[0]


def test_infinity_is_not_a_missing_value():
    assert math.isinf(read_cells(pa.chunked_array([["1e999"]]), COLUMNS["float"])[0])


def test_a_decimal_comma_is_read_where_it_may_be():
    texts = pa.chunked_array([["53,46", "-1,5", "2.5", "1.234,5", None]])
    read = read_cells(texts, COLUMNS["float"], decimal_comma=True)
    assert read.tolist() == [53.46, -1.5, 2.5, "1.234,5", None]
    assert read_cells(texts, COLUMNS["float"]).tolist()[0] == "53,46"
    assert read_cells(texts, COLUMNS["text"], decimal_comma=True).tolist()[0] == "53,46"
