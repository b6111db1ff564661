"""Records of Python objects are checked before they are sent."""

from __future__ import annotations

import datetime as dt
import types

import msgspec
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from signature_tables import frames, learn, mutated, records

from ekiben.errors import InputError
from ekiben.signature import Column, Output, Signature

SIGNATURE = Signature(
    (
        Column(name="x", kind="float", dtype="float64", nullable=True),
        Column(name="n", kind="integer", dtype="Int64", nullable=True),
        Column(name="ok", kind="boolean", dtype="boolean", nullable=True),
        Column(name="c", kind="category", dtype="str", categories=("a", "b"), nullable=True),
        Column(name="at", kind="timestamp", dtype="datetime64[us]", nullable=True),
        Column(name="zoned", kind="timestamp", dtype="datetime64[us, UTC]", nullable=True),
    ),
    Output(kind="number"),
)


def value(name, given):
    (row,) = SIGNATURE.check_records([{name: given}])
    return row[SIGNATURE.names.index(name)]


@pytest.mark.parametrize(
    ("name", "given", "taken"),
    [
        ("x", np.float32(0.5), 0.5), ("x", np.float64(0.1), 0.1), ("x", np.int8(3), 3.0), ("x", 3, 3.0),
        ("n", np.int64(3), 3), ("n", np.uint8(3), 3),
        ("ok", np.bool_(1), True),
        ("c", np.str_("a"), "a"),
        ("at", pd.Timestamp("2026-01-31T08:00"), dt.datetime.fromisoformat("2026-01-31T08:00:00")),
        ("at", pd.Timestamp("2026-01-31T08:00:00.123456789"), dt.datetime.fromisoformat("2026-01-31T08:00:00.123456")),
        ("at", np.datetime64("2026-01-31T08:00"), dt.datetime.fromisoformat("2026-01-31T08:00:00")),
        ("at", np.datetime64("2026-01-31T08:00", "ns"), dt.datetime.fromisoformat("2026-01-31T08:00:00")),
        ("at", dt.datetime.fromisoformat("2026-01-31T08:00:00"), dt.datetime.fromisoformat("2026-01-31T08:00:00")),
        ("at", "2026-01-31T08:00:00", dt.datetime.fromisoformat("2026-01-31T08:00:00")),
        ("zoned", pd.Timestamp("2026-01-31T08:00", tz="UTC"), dt.datetime(2026, 1, 31, 8, tzinfo=dt.UTC)),
    ],
)  # fmt: skip
def test_scalars_of_numpy_and_pandas_are_taken(name, given, taken):
    found = value(name, given)
    assert found == taken
    assert type(found) is type(taken)


@pytest.mark.parametrize(
    "nothing", [None, float("nan"), np.nan, np.float32("nan"), pd.NA, pd.NaT, np.datetime64("NaT")]
)
@pytest.mark.parametrize("name", SIGNATURE.names)
def test_whatever_means_missing_is_missing(name, nothing):
    assert value(name, nothing) is None


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("x", float("inf")), ("x", np.float64("-inf")), ("x", True), ("x", "3"), ("x", 10**400), ("x", 1j), ("x", np.ones(3)),
        ("n", 3.0), ("n", np.float64(3)), ("n", True), ("n", 2**63),
        ("ok", 1), ("ok", np.int64(1)),
        ("c", "z"), ("c", 1), ("c", b"a"),
        ("at", dt.date(2026, 1, 31)), ("at", dt.datetime(2026, 1, 31, tzinfo=dt.UTC)), ("at", 5),
        ("at", pd.Timestamp(np.datetime64("12000-01-01", "s"))),
        ("zoned", dt.datetime.fromisoformat("2026-01-31T00:00:00")),
    ],
)  # fmt: skip
def test_nothing_else_is_coerced(name, given):
    with pytest.raises(InputError) as caught:
        value(name, given)
    (problem,) = caught.value.problems
    assert (problem.row, problem.column) == (0, name)


def test_every_problem_is_told_with_its_row():
    with pytest.raises(InputError) as caught:
        SIGNATURE.check_records([{}, {"n": 0.5, "cc": 1}, "row", {3: 4}])
    assert [(p.row, p.column) for p in caught.value.problems] == [(1, "n"), (1, "cc"), (2, None), (3, "3")]
    assert caught.value.problems[0].message.startswith("row 1: ")


def test_any_mapping_is_a_record_and_any_iterable_a_list():
    assert SIGNATURE.check_records(iter([types.MappingProxyType({"n": 3})]))[0][1] == 3


def test_other_columns_may_be_ignored():
    assert (
        msgspec.structs.replace(SIGNATURE, extra="ignore").check_records([{"n": 1, "more": object()}])[0][1]
        == 1
    )


def test_records_are_not_changed():
    record = {"n": np.int64(3)}
    SIGNATURE.check_records([record])
    assert type(record["n"]) is np.int64


@given(st.data())
@settings(deadline=None, max_examples=150)
def test_records_are_checked_as_the_decoder_does(data):
    frame = data.draw(frames(max_rows=2))
    signature = learn(frame, extra=data.draw(st.sampled_from(["error", "ignore"])))
    given = [data.draw(mutated(record)) for record in records(frame)]

    def told(check, rows):
        try:
            return check(rows)
        except InputError as error:
            return [(p.row, p.column, p.expected, p.nearest) for p in error.problems]

    decoder = signature.decoder()
    assert told(signature.check_records, given) == told(
        lambda rows: decoder.decode(msgspec.json.encode(rows)).rows, given
    )
