"""From bytes to rows: one decode validates, and everything that is wrong is told."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import re

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from signature_tables import FLOATS, frames, learn, mutated, records

from ekiben.errors import MAX_PROBLEMS, InputError, MalformedError, TooLargeError
from ekiben.signature import Column, Decoder

TORQUE = Column(name="Torque [Nm]", kind="float", dtype="float64")
WEAR = Column(name="Tool wear [min]", kind="integer", dtype="int64", lower=0, upper=300, unit="min")
QUALITY = Column(name="Type", kind="category", dtype="str", categories=("High", "Low", "Mid"))
FAILED = Column(name="failed", kind="boolean", dtype="boolean", nullable=True)
NOTE = Column(name="note", kind="text", dtype="str", nullable=True)
AT = Column(name="at", kind="timestamp", dtype="datetime64[us]", nullable=True)
ZONED = Column(name="zoned", kind="timestamp", dtype="datetime64[us, UTC]", nullable=True)
COLUMNS = (TORQUE, WEAR, QUALITY, FAILED, NOTE, AT, ZONED)

GOOD = {"Torque [Nm]": 42.5, "Tool wear [min]": 3, "Type": "Low"}


def decode(body, *columns, **options):
    body = body if isinstance(body, bytes) else msgspec.json.encode(body)
    return Decoder(columns or COLUMNS, **options).decode(body)


def refused(body, *columns, **options):
    with pytest.raises(InputError) as caught:
        decode(body, *columns, **options)
    return list(caught.value.problems)


def only(body, *columns, **options):
    (problem,) = refused(body, *columns, **options)
    return problem


def long_way(columns):
    """Return the same columns under names that the fast path cannot take, and how a record is renamed so."""
    renamed = [msgspec.structs.replace(column, name=column.name + '"') for column in columns]
    return renamed, lambda record: {name + '"': value for name, value in record.items()}


def test_a_record_is_a_row_in_the_order_of_the_columns():
    request = decode({"Type": "Low", "Tool wear [min]": 3, "Torque [Nm]": 42.5, "note": None})
    assert request.rows == [(42.5, 3, "Low", None, None, None, None)]
    assert request.single


def test_a_list_of_records_is_a_list_of_rows():
    request = decode([GOOD, GOOD])
    assert len(request.rows) == 2
    assert not request.single


@pytest.mark.parametrize("body", [b"[]", b" \n[ ]\t"])
def test_an_empty_list_is_a_request_without_rows(body):
    assert decode(body).rows == []


def test_blanks_may_stand_around_the_body():
    assert decode(b" \r\n\t" + json.dumps(GOOD).encode() + b"\n").single


def test_an_integer_is_taken_for_a_float():
    assert decode({"x": 3}, msgspec.structs.replace(TORQUE, name="x")).rows == [(3.0,)]
    assert type(decode({"x": 3}, msgspec.structs.replace(TORQUE, name="x")).rows[0][0]) is float


@pytest.mark.parametrize(
    ("column", "value"),
    [
        (TORQUE, True), (TORQUE, "3"), (TORQUE, [3]), (TORQUE, {"a": 3}),
        (WEAR, 3.0), (WEAR, True), (WEAR, "3"), (WEAR, 3.5),
        (QUALITY, 1), (QUALITY, True), (QUALITY, ["Low"]), (QUALITY, "low"), (QUALITY, ""),
        (FAILED, 1), (FAILED, 0), (FAILED, "true"), (FAILED, 1.0),
        (NOTE, 3), (NOTE, True), (NOTE, {"a": 1}),
        (AT, 1706688000), (AT, "2026-01-31"), (AT, "yesterday"), (AT, "2026-02-30T00:00:00"), (AT, True),
    ],
)  # fmt: skip
def test_nothing_else_is_coerced(column, value):
    problem = only({column.name: value}, column)
    assert problem.column == column.name
    assert problem.row == 0


def test_a_column_may_be_null_or_left_out_where_it_is_nullable():
    assert decode({"note": None}, NOTE).rows == decode({}, NOTE).rows == [(None,)]


def test_a_null_is_refused_where_nothing_may_be_missing():
    problem = only({"Torque [Nm]": None}, TORQUE)
    assert problem.message == "column 'Torque [Nm]' is null, but may not be missing; expected a number"
    assert problem.given == "null"


def test_a_column_that_is_left_out_is_missing():
    problem = only({}, TORQUE)
    assert problem.message == "column 'Torque [Nm]' is missing; expected a number"


def test_bounds_that_people_stated_are_kept():
    assert decode({WEAR.name: 0}, WEAR).rows == [(0,)]
    problem = only({WEAR.name: 301}, WEAR)
    assert problem.expected == "a whole number from 0 to 300 min"
    assert problem.given == "301"


@pytest.mark.parametrize(
    ("dtype", "good", "bad"),
    [
        ("int8", 127, 128), ("uint8", 0, -1), ("int64", 2**63 - 1, 2**63), ("Int64", -(2**63), -(2**63) - 1),
        ("uint64", 2**63 - 1, 2**63), ("Int16", -32768, -32769),
    ],
)  # fmt: skip
def test_a_whole_number_fits_into_its_dtype(dtype, good, bad):
    column = Column(name="n", kind="integer", dtype=dtype)
    assert decode({"n": good}, column).rows == [(good,)]
    assert only({"n": bad}, column).given == str(bad)


def test_a_number_fits_into_its_dtype():
    column = Column(name="x", kind="float", dtype="float32")
    assert decode({"x": 3e38}, column).rows == [(3e38,)]
    assert only({"x": 4e38}, column).column == "x"


@pytest.mark.parametrize("number", [b"1e999", b"-1e999", b"1" + b"0" * 400, b"1" + b"0" * 5000])
def test_a_number_too_large_for_float64_is_a_problem(number):
    problem = only(b'{"Torque [Nm]":' + number + b"}", TORQUE)
    assert problem.message.endswith("; it is too large")


def test_an_unseen_category_is_told_with_the_nearest():
    problem = only({"Type": "Lo"}, QUALITY)
    assert problem.nearest == "Low"
    assert problem.message == (
        'column \'Type\' is "Lo"; expected one of "High", "Low", "Mid"; did you mean "Low"?'
    )


def test_an_unseen_category_is_passed_on_where_the_pipeline_can_take_it():
    column = msgspec.structs.replace(QUALITY, unseen="pass")
    assert decode({"Type": "Huge"}, column).rows == [("Huge",)]
    assert only({"Type": 3}, column).expected == "a text"


def test_many_categories_are_shortened():
    column = Column(name="n", kind="category", dtype="int64", categories=tuple(range(25)))
    assert only({"n": 99}, column).expected == "one of 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, … (15 more)"


@pytest.mark.parametrize(
    ("categories", "good", "bad"),
    [
        ((1, 2, 3), [1, 3], [4, 1.0, "1", True]),
        ((0.5, 1.0), [0.5, 1.0, 1], [0.25, "1", True]),
        (("a", 1), ["a", 1], ["b", 2, True, 1.0]),
        ((2**70, 5), [5], [2**63, 6]),
        ((True,), [True], [False, 1]),
    ],
)
def test_categories_may_be_numbers(categories, good, bad):
    kind = "boolean" if categories == (True,) else "category"
    column = Column(name="c", kind=kind, dtype="category", categories=categories)
    decoder = Decoder([column])
    for value in good:
        assert decoder.decode(msgspec.json.encode({"c": value})).rows == [(value,)]
        assert decoder.decode(msgspec.json.encode([{"c": value}])).rows == [(value,)]
    for value in bad:
        assert only({"c": value}, column).column == "c"
        assert len(refused([{"c": value}] * 2, column)) == 2


def test_timestamps_are_iso_8601():
    row = decode({"at": "2026-01-31T08:00:00.25", "zoned": "2026-01-31T08:00:00+01:00"}, AT, ZONED).rows[0]
    assert row == (
        dt.datetime.fromisoformat("2026-01-31T08:00:00.250000"),
        dt.datetime(2026, 1, 31, 7, tzinfo=dt.UTC),
    )


def test_an_offset_is_refused_where_training_had_none_and_wanted_where_it_had():
    naive, aware = refused({"at": "2026-01-31T08:00:00Z", "zoned": "2026-01-31T08:00:00"}, AT, ZONED)
    assert "without an offset" in naive.expected
    assert "with its offset" in aware.expected


def test_a_date_alone_is_told_what_it_lacks():
    assert only({"at": "2026-01-31"}, AT).message.endswith(
        'a date alone is not enough: "2026-01-31T00:00:00"'
    )


def test_a_timestamp_fits_into_nanoseconds_where_training_had_those():
    column = Column(name="at", kind="timestamp", dtype="datetime64[ns]")
    assert decode({"at": "2261-12-31T23:59:59"}, column)
    assert "1678 to 2261" in only({"at": "2400-01-01T00:00:00"}, column).expected


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_an_offset_does_not_lead_out_of_the_calendar(text):
    assert only({"zoned": text}, ZONED).column == "zoned"


def test_an_unknown_column_is_told_with_the_nearest():
    problem = only({**GOOD, "note_": "x"})
    assert problem.nearest == "note"
    assert problem.message == "unknown column 'note_'; did you mean 'note'?"


def test_a_misspelt_column_is_taken_for_the_one_that_is_absent():
    columns = [Column(name=name, kind="float", dtype="float64") for name in ("temp_a", "temp_b")]
    problems = refused({"temp_a": 1, "temp_c": 2}, *columns)
    assert problems[1].nearest == "temp_b"


def test_unknown_columns_may_be_ignored():
    assert decode({**GOOD, "more": [1, {"a": None}]}, extra="ignore").rows[0][:3] == (42.5, 3, "Low")


def test_every_problem_of_every_row_is_told():
    problems = refused([
        {"Torque [Nm]": "3", "Tool wear [min]": -1, "Type": None, "more": 1},
        GOOD,
        3,
        {"at": 5},
    ])  # fmt: skip
    assert [(problem.row, problem.column) for problem in problems] == [
        (0, "Torque [Nm]"), (0, "Tool wear [min]"), (0, "Type"), (0, "more"),
        (2, None),
        (3, "Torque [Nm]"), (3, "Tool wear [min]"), (3, "Type"), (3, "at"),
    ]  # fmt: skip
    assert problems[0].message.startswith("row 0: column 'Torque [Nm]' is \"3\"; expected a number")
    assert problems[4].message == "row 2: the row is 3; expected an object that maps column names to values"


def test_a_single_record_is_not_numbered():
    assert not only({}, TORQUE).message.startswith("row")


def test_all_problems_are_counted_and_the_first_are_listed():
    with pytest.raises(InputError) as caught:
        decode([{"Torque [Nm]": "x"}] * (MAX_PROBLEMS + 5), TORQUE)
    assert len(caught.value.problems) == MAX_PROBLEMS
    assert caught.value.total == MAX_PROBLEMS + 5


@pytest.mark.timeout(20)
def test_hostile_names_and_categories_cost_no_more_than_honest_ones():
    column = Column(
        name="c", kind="category", dtype="str", categories=tuple(f"category {k}" for k in range(5000))
    )
    body = [{"c": f"categorie {k}", f"d{k}" * 50: 1} for k in range(20_000)] + [{"c": "x" * 1_000_000}]
    with pytest.raises(InputError) as caught:
        decode(body, column)
    assert caught.value.total == 40_001


@pytest.mark.parametrize(
    ("given", "advice"),
    [
        ({"Torque [Nm]": "42.5"}, "; write it without quotes"),
        ({"Tool wear [min]": 3.0}, "; write 3"),
        ({"failed": 1}, "; write true"),
        ({"failed": "False"}, "; write false, without quotes"),
        ({"note": 3}, "; write it in quotes"),
    ],
)
def test_what_is_nearly_right_is_told_how_to_be_right(given, advice):
    assert only({**GOOD, **given}).message.endswith(advice)


def test_what_was_given_is_quoted_and_shortened():
    problem = only({"Torque [Nm]": ["x" * 500]}, TORQUE)
    assert problem.given.startswith('["xxx')
    assert len(problem.given) == 100


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "it is empty"),
        (b" \n", "it is empty"),
        (b"hello", "byte 0"),
        (b"NaN", "byte 0"),
        (b'{"Torque [Nm]":NaN}', "byte 15"),
        (b'{"Torque [Nm]":Infinity}', "byte 15"),
        (b'{"Torque [Nm]":-Infinity}', "byte 16"),
        (b'{"Torque [Nm]":3', "it ends too early (byte 16)"),
        (b"{'a':3}", "byte 1"),
        (b'{"Torque [Nm]":3} x', "trailing characters"),
        (b'{"note":"\xff"}', "invalid UTF-8 (byte 9)"),
        (b'{"note\xff":"x"}', "invalid UTF-8 (byte 6)"),
        (b'{"note":"\\ud800"}', "is not JSON"),
        (b"\xef\xbb\xbf{}", "byte 0"),
        (b'{"Torque [Nm]":"3","note":}', "is not JSON"),
        (b'"text"', "the body is a text"),
        (b"3", "the body is a number"),
        (b"1e999", "the body is a number"),
        (b"true", "the body is a boolean"),
        (b"null", "the body is null"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"note":' + b"[" * 100_000, "nested too deeply"),
        (b'{"x":' * 100_000, "nested too deeply"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("extra", ["error", "ignore"])
def test_what_is_no_record_and_no_list_is_malformed(body, words, extra):
    with pytest.raises(MalformedError, match=r"expected a (JSON )?record, or a list of records") as caught:
        decode(body, extra=extra)
    assert words in str(caught.value)


def test_a_body_that_is_not_json_is_malformed_even_where_a_value_is_wrong_too():
    with pytest.raises(MalformedError):
        decode(b'[{"Torque [Nm]":"x"},{"Torque [Nm]":NaN}]', TORQUE)


def test_a_column_that_stands_twice_counts_once_and_each_time_has_to_be_right():
    assert decode(b'{"Torque [Nm]":1,"Torque [Nm]":2}', TORQUE).rows == [(2.0,)]
    problem = only(b'{"Torque [Nm]":"x","Torque [Nm]":2}', TORQUE)
    assert problem.message == "column 'Torque [Nm]' stands more than once in a record; write it once"


@pytest.mark.parametrize(
    "name",
    ["", "a b", "x'y", "__class__", "c1", "self", "日本", "🍱", 'q"u', "back\\slash", "new\nline", "\x00"],
)
def test_a_column_may_have_any_name(name):
    columns = [
        Column(name=name, kind="float", dtype="float64"),
        msgspec.structs.replace(NOTE, name=name + "2"),
    ]
    decoder = Decoder(columns)
    assert decoder.decode(json.dumps({name: 1}).encode()).rows == [(1.0, None)]
    assert decoder.decode(json.dumps([{name + "2": "x", name: 2.5}]).encode()).rows == [(2.5, "x")]
    problem = only(json.dumps({name: "x"}).encode(), *columns)
    assert problem.column == name


def test_a_thousand_columns_are_decoded():
    columns = [Column(name=f"feature {k}", kind="float", dtype="float64") for k in range(1000)]
    assert decode({column.name: k for k, column in enumerate(columns)}, *columns).rows == [
        tuple(map(float, range(1000)))
    ]


@given(st.binary(max_size=40) | st.text(max_size=20).map(str.encode))
def test_any_bytes_are_rows_or_one_of_two_errors(body):
    with contextlib.suppress(InputError, MalformedError):
        assert decode(body).rows == []


@given(st.data())
@settings(deadline=None, max_examples=200)
def test_the_fast_way_accepts_what_the_long_way_finds_nothing_wrong_with(data):
    frame = data.draw(frames(max_rows=3))
    extra = data.draw(st.sampled_from(["error", "ignore"]))
    columns = learn(frame).columns
    given = [data.draw(mutated(record)) for record in records(frame)]
    renamed, rename = long_way(columns)

    def told(columns, records, suffix=""):
        try:
            return decode(records, *columns, extra=extra).rows
        except InputError as error:
            return [
                (p.row, (p.column or "").removesuffix(suffix), p.given, p.expected) for p in error.problems
            ]

    assert told(columns, given) == told(renamed, [rename(record) for record in given], '"')


@given(st.lists(FLOATS, min_size=1, max_size=30))
def test_numbers_keep_every_bit(values):
    columns = [Column(name=str(k), kind="float", dtype="float64") for k in range(len(values))]
    body = msgspec.json.encode({str(k): value for k, value in enumerate(values)})
    assert Decoder(columns).decode(body).rows == [tuple(values)]


def test_more_rows_than_are_taken_are_not_looked_at_one_by_one():
    with pytest.raises(TooLargeError, match="3 rows in one request, but at most 2"):
        Decoder(COLUMNS).decode(b"[{}, {}, {}]", max_rows=2)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"Torque [Nm]": NaN}', "NaN (byte 16) is no JSON value; send null"),
        (b'{"Torque [Nm]": Infinity}', "Infinity (byte 16) is no JSON value; send null"),
        (b"\xef\xbb\xbf{}", "byte order mark"),
    ],
)
def test_what_json_writers_get_wrong_is_told(body, words):
    with pytest.raises(MalformedError, match=re.escape(words)):
        Decoder(COLUMNS).decode(body)


@pytest.mark.parametrize("body", [b'{"instances": [{"x": 1}]}', b'{"data": {"x": 1}}'])
def test_an_envelope_is_told_to_be_left_out(body):
    with pytest.raises(InputError, match="send what it holds without it around") as caught:
        Decoder(COLUMNS).decode(body)
    assert caught.value.total == 1
