from __future__ import annotations

import asyncio

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from fault_server import Fault, FaultServer, answer_of, problem, rows

import ekiben
from ekiben.errors import ClientError, InputError, MalformedError, OverloadedError, Problem, ServingError
from ekiben.signature import Column, Output, Signature

QUICK = {"backoff_s": 0.01, "timeout_s": 5.0, "chunk_rows": 30}


def score_with_client(url, frame, **settings):
    chosen = {key: settings.pop(key) for key in ("fields", "check") if key in settings}
    with ekiben.Client(url, **{**QUICK, **settings}) as client:
        return client.score("credit", frame, **chosen)


def score_with_async_client(url, frame, **settings):
    chosen = {key: settings.pop(key) for key in ("fields", "check") if key in settings}

    async def main():
        async with ekiben.AsyncClient(url, **{**QUICK, **settings}) as client:
            return await client.score("credit", frame, **chosen)

    return asyncio.run(main())


@pytest.fixture(params=[score_with_client, score_with_async_client], ids=["Client", "AsyncClient"])
def score(request):
    return request.param


def as_pandas(records):
    return pd.DataFrame(records)


def as_pandas_nullable(records):
    return pd.DataFrame(records).astype({"x": "Float64", "n": "Int16", "colour": "category"})


def as_polars(records):
    return pl.DataFrame(records, schema_overrides={"n": pl.Int8, "colour": pl.Categorical})


def as_arrow(records):
    table = pa.Table.from_pylist(records)
    return table.set_column(2, "colour", table["colour"].dictionary_encode())


PLAIN = [pd.DataFrame, pl.DataFrame, pa.Table.from_pylist]
FRAMES = [as_pandas, as_pandas_nullable, as_polars, as_arrow]


def columns_of(frame):
    """The columns of a frame of any library, as lists."""
    if isinstance(frame, pd.DataFrame):
        return frame.to_dict("list")
    return frame.to_dict(as_series=False) if isinstance(frame, pl.DataFrame) else frame.to_pydict()


@pytest.mark.parametrize("make", FRAMES)
@pytest.mark.parametrize("check", [True, False])
def test_a_frame_becomes_a_frame_of_the_same_library(score, make, check):
    frame = make(rows(100))
    with FaultServer() as server:
        scored = score(server.url, frame, check=check)
        assert len(server.predictions) == 4
    assert type(scored) is type(frame)
    answers = [answer_of(row) for row in rows(100)]
    assert columns_of(scored) == {
        name: [answer[name] for answer in answers] for name in ("prediction", "probability")
    }


def test_the_index_of_pandas_is_kept(score):
    frame = pd.DataFrame(rows(100)).set_index(
        pd.Index([f"row {number % 60}" for number in range(100)], name="who")
    )
    with FaultServer() as server:
        scored = score(server.url, frame)
    pd.testing.assert_index_equal(scored.index, frame.index)
    assert scored.dtypes.astype(str).to_dict() == {"prediction": "int64", "probability": "float64"}


@pytest.mark.parametrize("make", FRAMES)
def test_parts_that_overtake_one_another_are_put_back_in_order(score, make):
    with FaultServer(delay_s=lambda number: 0.1 if number % 2 else 0.0) as server:
        scored = score(server.url, make(rows(100)), chunk_rows=10, in_flight=3)
        assert 2 <= server.most_in_flight <= 3
    assert columns_of(scored)["probability"] == [answer_of(row)["probability"] for row in rows(100)]


@pytest.mark.parametrize("make", FRAMES)
def test_columns_that_the_model_does_not_know_are_not_sent(score, make):
    frame = make([{**row, "who": f"c{number}"} for number, row in enumerate(rows(10))])
    with FaultServer() as server:
        score(server.url, frame)
        assert b"who" not in server.predictions[0].body


@pytest.mark.parametrize("make", FRAMES)
def test_probabilities_of_all_classes_have_a_column_each(score, make):
    with FaultServer() as server:
        scored = score(server.url, make(rows(40)), fields=["prediction", "probabilities"])
    answers = [answer_of(row)["probability"] for row in rows(40)]
    found = columns_of(scored)
    assert list(found) == ["prediction", "probability_0", "probability_1"]
    assert found["probability_1"] == answers


@pytest.mark.parametrize("make", PLAIN, ids=["pandas", "polars", "pyarrow"])
def test_no_rows_become_no_answers_with_the_right_columns(score, make):
    frame = make(rows(3))[:0]
    with FaultServer() as server:
        scored = score(server.url, frame)
        assert server.predictions == []
    assert columns_of(scored) == {"prediction": [], "probability": []}


@pytest.mark.parametrize("make", PLAIN, ids=["pandas", "polars", "pyarrow"])
def test_all_rows_are_checked_before_the_first_is_sent(score, make):
    wrong = rows(100)
    wrong[70]["colour"] = "pinkish"
    wrong[95]["n"] = None
    with FaultServer() as server:
        with pytest.raises(InputError) as caught:
            score(server.url, make(wrong))
        assert server.predictions == []
    assert {(found.row, found.column) for found in caught.value.problems} == {(70, "colour"), (95, "n")}
    assert str(caught.value).startswith("row 70: column 'colour'")


@pytest.mark.parametrize("make", PLAIN, ids=["pandas", "polars", "pyarrow"])
def test_a_missing_column_is_told_once_with_what_may_be_meant(score, make):
    frame = make([{"x": row["x"], "n": row["n"], "Colour": row["colour"]} for row in rows(100)])
    with FaultServer() as server, pytest.raises(InputError) as caught:
        score(server.url, frame)
    assert str(caught.value) == "the frame has no column 'colour'; did you mean 'Colour' by it?"


@pytest.mark.parametrize("make", PLAIN, ids=["pandas", "polars", "pyarrow"])
def test_infinity_is_refused_even_unchecked(score, make):
    odd = rows(40)
    odd[33]["x"] = float("inf")
    with FaultServer() as server, pytest.raises(InputError) as caught:
        score(server.url, make(odd), check=False)
    assert caught.value.problems[0].row == 33


def test_unchecked_rows_are_judged_by_the_server_and_numbered_as_in_the_frame(score):
    def judge(given):
        found = [
            Problem(message=f"row {number}: column 'n' is 99", row=number, column="n")
            for number, row in enumerate(given)
            if row["n"] == 99
        ]
        return problem(InputError(found), 422) if found else None

    odd = rows(100)
    odd[64]["n"] = 99
    with FaultServer(judge=judge) as server, pytest.raises(InputError, match=r"^row 64: column 'n' is 99$"):
        score(server.url, pd.DataFrame(odd), check=False)


def test_a_part_that_fails_for_a_moment_is_sent_again(score):
    busy = problem(OverloadedError("full", 0.01), 503, **{"retry-after": "0"})
    with FaultServer(busy, Fault(), busy, Fault(cut="before")) as server:
        scored = score(server.url, pd.DataFrame(rows(100)))
    assert scored["probability"].tolist() == [answer_of(row)["probability"] for row in rows(100)]


def test_a_part_that_keeps_failing_is_an_error(score):
    busy = problem(OverloadedError("full", 0.01), 503)
    with FaultServer(*[busy] * 50) as server, pytest.raises(ServingError, match="full"):
        score(server.url, pd.DataFrame(rows(100)), retries=1)


def test_answers_of_two_versions_are_not_mixed(score):
    with FaultServer() as server:

        def answer(row, fields):
            if len(server.predictions) > 2:
                server.version = "v2"
            return answer_of(row, fields)

        server.answer = answer
        with pytest.raises(ClientError, match="credit:v1 was replaced by credit:v2"):
            score(server.url, pd.DataFrame(rows(200)), in_flight=1)


@pytest.mark.parametrize(
    "frame", [pl.LazyFrame({"x": [1.0]}), [{"x": 1.0}], {"x": [1.0]}, np.zeros((2, 3)), None]
)
def test_what_is_no_frame_is_refused_with_advice(score, frame):
    with (
        FaultServer() as server,
        pytest.raises(MalformedError, match=r"collect it first|takes a list of dicts"),
    ):
        score(server.url, frame)


TIMES = Signature(
    columns=(
        Column(name="at", kind="timestamp", dtype="datetime64[us]", nullable=True),
        Column(name="zoned", kind="timestamp", dtype="datetime64[us, UTC]"),
        Column(name="owns", kind="boolean", dtype="boolean", nullable=True),
        Column(name="word", kind="text", dtype="str", nullable=True),
        Column(name="size", kind="integer", dtype="Int64", nullable=True),
    ),
    output=Output(kind="label", classes=("no", "yes"), available=("prediction",)),
    example={},
    container="pandas",
)


@pytest.mark.parametrize("library", ["pandas", "polars", "pyarrow"])
def test_times_truths_texts_and_gaps_arrive_as_the_signature_reads_them(score, library):
    table = pa.table(
        {
            "at": pa.array([0, None, 1_500_000], pa.timestamp("us")),
            "zoned": pa.array([0, 1, 2], pa.timestamp("us", "UTC")),
            "owns": pa.array([True, None, False]),
            "word": pa.array(["é", None, ""]),
            "size": pa.array([2**60 + 1, None, -1]),
        }
    )
    nullable = {pa.int64(): pd.Int64Dtype(), pa.bool_(): pd.BooleanDtype()}
    frame = {
        "pandas": lambda: table.to_pandas(types_mapper=nullable.get),
        "polars": lambda: pl.from_arrow(table),
        "pyarrow": lambda: table,
    }[library]()
    seen = []

    def answer(row, fields):
        seen.append(row)
        return {"prediction": "yes" if row["owns"] else "no"}

    with FaultServer(signature=TIMES, answer=answer) as server:
        scored = score(server.url, frame)
        bodies = [seen_request.body for seen_request in server.predictions]
    assert columns_of(scored) == {"prediction": ["yes", "no", "no"]}
    decoded = TIMES.decoder().decode(bodies[0]).rows
    assert decoded == [tuple(row.values()) for row in table.to_pylist()]
    assert seen[1] == {"at": None, "zoned": seen[1]["zoned"], "owns": None, "word": None, "size": None}


def test_only_the_parts_in_flight_exist_as_json(score):
    """A frame of a million rows is not turned into a million dicts at once."""
    import tracemalloc

    frame = pd.DataFrame({"x": np.zeros(60_000), "n": np.ones(60_000, dtype=int), "colour": ["red"] * 60_000})
    body = b"[" + b",".join([b'{"prediction":1,"probability":0.5}'] * 1000) + b"]"
    with FaultServer(*[Fault(200, body)] * 60) as server:
        tracemalloc.start()
        try:
            scored = score(server.url, frame, chunk_rows=1000, check=False)
            peak_bytes = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert len(scored) == 60_000
    # As dicts the rows would take more than 20 MB.
    assert peak_bytes < 12e6 + 60_000 * 100  # what the server keeps of the requests
