from __future__ import annotations

import asyncio
import datetime as dt
import itertools
import subprocess
import sys
import threading
import time
from email.utils import format_datetime

import numpy as np
import pandas as pd
import pytest
from fault_server import SIGNATURE, Fault, FaultServer, answer_of, problem, rows

import ekiben
from ekiben.client.exchange import RETRIED
from ekiben.errors import (
    ClientError,
    DeadlineError,
    EkibenError,
    EngineError,
    InputError,
    MalformedError,
    ModelNotFoundError,
    NotReadyError,
    OverloadedError,
    PolicyError,
    Problem,
    RowError,
    TooLargeError,
    UnsupportedError,
)

ROW = {"x": 1.5, "n": 2, "colour": "green"}
QUICK = {"backoff_s": 0.01, "timeout_s": 2.0, "deadline_s": 5.0}


def ask_client(url, question, **settings):
    with ekiben.Client(url, **{**QUICK, **settings}) as client:
        return question(client)


def ask_async_client(url, question, **settings):
    async def main():
        async with ekiben.AsyncClient(url, **{**QUICK, **settings}) as client:
            return await question(client)

    return asyncio.run(main())


@pytest.fixture(params=[ask_client, ask_async_client], ids=["Client", "AsyncClient"])
def ask(request):
    return request.param


def test_importing_the_client_imports_no_heavy_library():
    code = (
        "import sys, ekiben.client; ekiben.client.Client('http://localhost:3000').close(); "
        "print([name for name in ('bentoml', 'sklearn', 'pandas', 'polars', 'pyarrow', 'xgboost') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_row_is_answered_with_a_dict_that_knows_where_it_came_from(ask):
    with FaultServer() as server:
        answer = ask(server.url, lambda client: client.predict("credit", ROW))
    assert answer == answer_of(ROW)
    assert isinstance(answer, dict)
    assert answer.model == "credit:v1"
    assert answer.id.startswith("p")


def test_many_rows_are_answered_in_their_order(ask):
    with FaultServer() as server:
        answers = ask(server.url, lambda client: client.predict_many("credit", rows(100)), chunk_rows=30)
        assert len(server.predictions) == 4
    assert answers == [answer_of(row) for row in rows(100)]
    assert answers[31].id.endswith("-1")


def test_parts_that_overtake_one_another_are_put_back_in_order(ask):
    with FaultServer(delay_s=lambda number: 0.15 if number % 2 else 0.0) as server:
        answers = ask(
            server.url, lambda client: client.predict_many("credit", rows(80)), chunk_rows=10, in_flight=4
        )
        assert answers == [answer_of(row) for row in rows(80)]
        assert 2 <= server.most_in_flight <= 4


def test_no_rows_are_answered_with_no_answers(ask):
    with FaultServer() as server:
        assert ask(server.url, lambda client: client.predict_many("credit", [])) == []
        assert server.predictions == []


def test_rows_may_come_from_a_generator(ask):
    with FaultServer() as server:
        answers = ask(server.url, lambda client: client.predict_many("credit", (row for row in rows(5))))
    assert answers == [answer_of(row) for row in rows(5)]


def test_the_answer_holds_the_fields_that_are_asked_for(ask):
    with FaultServer() as server:
        answer = ask(
            server.url, lambda client: client.predict("credit", ROW, fields=["prediction", "probabilities"])
        )
        assert list(answer) == ["prediction", "probabilities"]
        assert server.predictions[0].path == "/predict/credit?fields=prediction,probabilities"


def test_models_and_signatures_are_told(ask):
    with FaultServer() as server:
        assert ask(server.url, lambda client: client.models()) == [{"name": "credit", "version": "v1"}]
        assert ask(server.url, lambda client: client.signature("credit")) == SIGNATURE


@pytest.mark.parametrize("check", [True, False])
def test_scalars_of_numpy_and_missing_values_of_pandas_are_sent_as_json(ask, check):
    row = {"x": np.float32(1.5), "n": np.int16(2), "colour": np.str_("green")}
    missing = [{**row, "x": value} for value in (None, float("nan"), pd.NA, np.float64("nan"), pd.NaT)]
    with FaultServer() as server:
        answers = ask(server.url, lambda client: client.predict_many("credit", [row, *missing], check=check))
    assert answers == [answer_of(ROW)] + [answer_of({**ROW, "x": None})] * 5


@pytest.mark.parametrize("check", [True, False])
def test_infinity_is_refused_before_it_is_sent_and_never_becomes_missing(ask, check):
    with FaultServer() as server:
        with pytest.raises(InputError, match="'x'") as caught:
            ask(
                server.url,
                lambda client: client.predict_many("credit", [ROW, {**ROW, "x": np.inf}], check=check),
            )
        assert server.predictions == []
    assert caught.value.problems[0].row == 1


def test_rows_that_do_not_fit_are_refused_before_anything_is_sent(ask):
    wrong = [ROW, {**ROW, "colour": "gren"}, {"x": 1.0, "n": "two", "colour": "red"}]
    with FaultServer() as server:
        with pytest.raises(InputError) as caught:
            ask(server.url, lambda client: client.predict_many("credit", wrong), chunk_rows=1)
        assert server.predictions == []
    assert [(found.row, found.column, found.nearest) for found in caught.value.problems] == [
        (1, "colour", "green"),
        (2, "n", None),
    ]


def test_a_single_row_is_refused_without_a_row_number(ask):
    with FaultServer() as server, pytest.raises(InputError) as caught:
        ask(server.url, lambda client: client.predict("credit", {**ROW, "n": None}))
    assert str(caught.value).startswith("column 'n'")


def test_unchecked_rows_are_judged_by_the_server_and_numbered_as_the_caller_does(ask):
    def judge(given):
        problems = [
            Problem(message=f"row {index}: column 'n' is null", row=index, column="n")
            for index, row in enumerate(given)
            if row["n"] is None
        ]
        return problem(InputError(problems), 422) if problems else None

    wrong = [{**ROW, "n": None} if index == 25 else ROW for index in range(40)]
    with FaultServer(judge=judge) as server:
        with pytest.raises(InputError) as caught:
            ask(server.url, lambda client: client.predict_many("credit", wrong, check=False), chunk_rows=10)
        assert server.model_requests == []
    assert caught.value.problems == (Problem(message="row 25: column 'n' is null", row=25, column="n"),)


def test_a_row_that_the_model_refuses_is_numbered_as_the_caller_does(ask):
    refuse = problem(RowError(3, "negative variance"), 422)
    with FaultServer(judge=lambda given: refuse if given[0]["n"] == 99 else None) as server:
        odd = [ROW] * 10 + [{**ROW, "n": 99}] * 10
        with pytest.raises(RowError) as caught:
            ask(server.url, lambda client: client.predict_many("credit", odd), chunk_rows=10)
    assert (caught.value.row, caught.value.reason) == (13, "negative variance")


def test_a_part_that_is_too_large_for_the_server_is_halved(ask):
    def judge(given):
        return problem(TooLargeError("too many"), 413) if len(given) > 7 else None

    with FaultServer(judge=judge) as server:
        answers = ask(server.url, lambda client: client.predict_many("credit", rows(50)), chunk_rows=50)
    assert answers == [answer_of(row) for row in rows(50)]


def test_a_single_row_that_is_too_large_is_an_error(ask):
    refuse = problem(TooLargeError("too many"), 413)
    with FaultServer(judge=lambda given: refuse) as server, pytest.raises(TooLargeError, match="too many"):
        ask(server.url, lambda client: client.predict_many("credit", rows(4)))


@pytest.mark.parametrize("given", [[1, 2], "text", None, ROW, 3])
def test_what_is_no_list_of_rows_is_refused_with_advice(ask, given):
    with FaultServer() as server, pytest.raises(MalformedError, match="expected a list of dicts"):
        ask(server.url, lambda client: client.predict_many("credit", given))


def test_a_list_given_as_a_single_row_is_refused_with_advice(ask):
    with FaultServer() as server, pytest.raises(MalformedError, match="predict_many"):
        ask(server.url, lambda client: client.predict("credit", [ROW]))


@pytest.mark.parametrize("status", sorted(RETRIED))
def test_a_passing_failure_is_tried_again(ask, status):
    with FaultServer(Fault(status), Fault(status)) as server:
        assert ask(server.url, lambda client: client.predict("credit", ROW)) == answer_of(ROW)
        assert len(server.predictions) == 3
        assert len({seen.body for seen in server.predictions}) == 1


@pytest.mark.parametrize("cut", ["before", "within"])
def test_a_lost_connection_is_tried_again(ask, cut):
    with FaultServer(Fault(cut=cut), Fault(cut=cut)) as server:
        assert ask(server.url, lambda client: client.predict("credit", ROW)) == answer_of(ROW)
        assert len(server.predictions) == 3


def test_a_server_that_is_slow_once_is_asked_again(ask):
    with FaultServer(Fault(delay_s=1.0)) as server:
        answer = ask(server.url, lambda client: client.predict("credit", ROW), timeout_s=0.2)
        assert answer == answer_of(ROW)
        assert len(server.predictions) == 2


@pytest.mark.parametrize("status", [400, 401, 404, 408, 409, 413, 415, 422, 429])
def test_a_4xx_is_never_tried_again(ask, status):
    with FaultServer(*[Fault(status, b"no")] * 4) as server:
        with pytest.raises(ClientError) as caught:
            ask(server.url, lambda client: client.predict("credit", ROW))
        assert len(server.predictions) == 1
    assert caught.value.status == status


def test_a_500_is_not_tried_again(ask):
    with FaultServer(*[problem(EngineError("it broke"), 500)] * 4) as server:
        with pytest.raises(EngineError, match="it broke"):
            ask(server.url, lambda client: client.predict("credit", ROW))
        assert len(server.predictions) == 1


def test_after_the_last_retry_the_server_s_own_error_is_raised(ask):
    with FaultServer(*[problem(OverloadedError("the queue is full", 0.01), 503)] * 9) as server:
        with pytest.raises(OverloadedError, match="the queue is full") as caught:
            ask(server.url, lambda client: client.predict("credit", ROW), retries=2)
        assert len(server.predictions) == 3
    assert caught.value.retry_after_s == 0.01


def test_no_retries_means_one_attempt(ask):
    with FaultServer(Fault(503)) as server:
        with pytest.raises(ClientError, match="503"):
            ask(server.url, lambda client: client.predict("credit", ROW), retries=0)
        assert len(server.predictions) == 1


def test_retry_after_in_seconds_is_honoured(ask):
    with FaultServer(Fault(503, headers={"retry-after": "1"})) as server:
        ask(server.url, lambda client: client.predict("credit", ROW))
        first, second = server.predictions
    assert 1.0 <= second.at_s - first.at_s < 1.5


def test_retry_after_as_a_date_is_honoured_by_the_server_s_clock(ask):
    now = dt.datetime(2020, 1, 1, 12, 0, 0, tzinfo=dt.UTC)
    then = now + dt.timedelta(seconds=1)
    headers = {"retry-after": format_datetime(then, usegmt=True), "Date": format_datetime(now, usegmt=True)}
    with FaultServer(Fault(503, headers=headers)) as server:
        ask(server.url, lambda client: client.predict("credit", ROW))
        first, second = server.predictions
    assert 0.5 <= second.at_s - first.at_s < 1.8


def test_a_wait_beyond_the_limit_is_not_waited_for(ask):
    busy = problem(OverloadedError("come back tomorrow", 86400), 503, **{"retry-after": "86400"})
    with FaultServer(busy, busy) as server:
        started_s = time.monotonic()
        with pytest.raises(OverloadedError, match="tomorrow"):
            ask(server.url, lambda client: client.predict("credit", ROW))
        assert len(server.predictions) == 1
    assert time.monotonic() - started_s < 1.0


def test_waits_grow_and_are_spread(ask):
    with FaultServer(*[Fault(503)] * 4) as server:
        ask(server.url, lambda client: client.predict("credit", ROW), retries=4, backoff_s=0.1)
        times = [seen.at_s for seen in server.predictions]
    waits = [later - earlier for earlier, later in itertools.pairwise(times)]
    for wait, (least, most) in zip(waits, [(0.05, 0.1), (0.1, 0.2), (0.2, 0.4), (0.4, 0.8)], strict=True):
        assert least <= wait < most + 0.15


def test_the_deadline_bounds_all_attempts_together(ask):
    with FaultServer(*[Fault(503)] * 100) as server:
        started_s = time.monotonic()
        with pytest.raises(ClientError, match="503"):
            ask(
                server.url,
                lambda client: client.predict("credit", ROW, check=False),
                retries=99,
                deadline_s=0.6,
            )
    assert time.monotonic() - started_s < 1.5


@pytest.mark.parametrize("fault", [Fault(delay_s=30.0), Fault(cut="drip")])
def test_an_answer_that_never_ends_ends_with_the_deadline(ask, fault):
    with FaultServer(*[fault] * 9) as server:
        started_s = time.monotonic()
        with pytest.raises(DeadlineError, match="did not answer in time"):
            ask(
                server.url,
                lambda client: client.predict("credit", ROW, check=False),
                timeout_s=0.4,
                deadline_s=1.0,
            )
    assert time.monotonic() - started_s < 3.0


def test_a_server_that_is_not_there_is_named(ask):
    with pytest.raises(
        ClientError, match=r"cannot reach http://127\.0\.0\.1:9/models/credit \(3 attempts"
    ) as caught:
        ask("http://127.0.0.1:9", lambda client: client.predict("credit", ROW), retries=2)
    assert caught.value.status is None
    assert caught.value.url == "http://127.0.0.1:9/models/credit"


@pytest.mark.parametrize(
    "sent",
    [
        EkibenError("the server failed"),
        MalformedError("the body is not JSON"),
        ModelNotFoundError("credt", ["credit"]),
        InputError([Problem(message="column 'n' is null", row=0, column="n")], 3),
        RowError(0, "it is odd"),
        TooLargeError("too many rows"),
        UnsupportedError("no such media type"),
        OverloadedError("full", 2.0),
        DeadlineError("too late"),
        NotReadyError("it is loading"),
        EngineError("it broke"),
        PolicyError("no"),
    ],
    ids=lambda sent: sent.code,
)
def test_every_error_of_the_server_arrives_as_itself(ask, sent):
    kind = type(sent)
    with FaultServer(problem(sent, 422)) as server, pytest.raises(kind) as caught:
        ask(server.url, lambda client: client.predict("credit", ROW, check=False))
    assert type(caught.value) is kind
    assert str(caught.value) == str(sent)
    assert caught.value.members() == sent.members()


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (Fault(401, b"<html>log in</html>", {"content-type": "text/html"}), "<html>log in"),
        (Fault(404, b""), "it is empty"),
        (Fault(422, b'{"detail": 3', {"content-type": "application/json"}), '{"detail": 3'),
        (Fault(422, b'["a list"]', {"content-type": "application/json"}), "a list"),
        (
            Fault(422, b'{"type":"urn:ekiben:problem:surprise"}', {"content-type": "application/json"}),
            "surprise",
        ),
        (
            Fault(422, b'{"type":"urn:ekiben:problem:row","row":"x"}', {"content-type": "application/json"}),
            "row",
        ),
        (Fault(302, b"", {"location": "http://elsewhere"}), "302"),
        (Fault(200, b"<html>a portal</html>", {"content-type": "text/html"}), "a portal"),
        (Fault(200, b'["not a record"]'), "not a record"),
        (Fault(418, b"\xff" * 5000), "�" * 200 + "…"),
    ],
)
def test_what_no_ekiben_server_says_is_told_with_status_address_and_beginning(ask, fault, said):
    with FaultServer(fault) as server, pytest.raises(ClientError) as caught:
        ask(server.url, lambda client: client.predict("credit", ROW, check=False))
    assert said in str(caught.value)
    assert f"{server.url}/predict/credit" in str(caught.value)
    assert caught.value.status == fault.status


def test_too_few_answers_are_noticed(ask):
    with (
        FaultServer(Fault(200, b'[{"prediction": 1}]')) as server,
        pytest.raises(ClientError, match="2 rows were sent"),
    ):
        ask(server.url, lambda client: client.predict_many("credit", [ROW, ROW]))


def test_a_signature_is_asked_for_once_and_again_when_it_is_old(ask):
    def twice(client):
        return client.signature("credit") if isinstance(client, ekiben.Client) else _twice(client)

    async def _twice(client):
        await client.predict("credit", ROW)
        await asyncio.sleep(0.1)
        return await client.predict("credit", ROW)

    with FaultServer() as server, ekiben.Client(server.url, **QUICK) as client:
        client.predict("credit", ROW)
        client.predict("credit", ROW)
        assert len(server.model_requests) == 1
    with FaultServer() as server, ekiben.Client(server.url, signature_age_s=0.05, **QUICK) as client:
        client.predict("credit", ROW)
        time.sleep(0.1)
        client.predict("credit", ROW)
        assert len(server.model_requests) == 2
    with FaultServer() as server:
        ask_async_client(server.url, _twice, signature_age_s=0.05)
        assert len(server.model_requests) == 2


def test_another_version_in_an_answer_makes_the_signature_be_asked_for_again():
    with FaultServer() as server, ekiben.Client(server.url, **QUICK) as client:
        client.predict("credit", ROW)
        server.version = "v2"
        assert client.predict("credit", ROW).model == "credit:v2"
        client.predict("credit", ROW)
        assert len(server.model_requests) == 2


def test_a_row_refused_by_an_old_signature_is_checked_against_a_fresh_one(monkeypatch):
    monkeypatch.setattr("ekiben.client.session.RECHECK_AFTER_S", 0.0)
    wider = SIGNATURE.describe("colour", categories=["red", "green", "blue", "pink"])
    one = {"prediction": 1, "probability": 1.0}
    with (
        FaultServer(answer=lambda row, fields: one) as server,
        ekiben.Client(server.url, **QUICK) as client,
    ):
        with pytest.raises(InputError):
            client.predict("credit", {**ROW, "colour": "pink"})
        server.version, server.signature = "v2", wider
        assert client.predict("credit", {**ROW, "colour": "pink"})["prediction"] == 1


def test_a_client_is_shared_by_threads():
    with FaultServer() as server, ekiben.Client(server.url, **QUICK) as client:
        found = {}

        def work(number):
            found[number] = client.predict_many("credit", rows(20)[number:])

        threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert found == {number: [answer_of(row) for row in rows(20)[number:]] for number in range(8)}


def test_a_failed_part_stops_the_others(ask):
    faults = [problem(EngineError("it broke"), 500)]
    with FaultServer(*faults, delay_s=lambda number: 0.05) as server:
        with pytest.raises(EngineError):
            ask(
                server.url,
                lambda client: client.predict_many("credit", rows(1000)),
                chunk_rows=10,
                in_flight=2,
            )
        assert len(server.predictions) < 10


async def test_a_cancelled_call_leaves_no_request_behind():
    with FaultServer(delay_s=lambda number: 0.3) as server:
        async with ekiben.AsyncClient(server.url, **QUICK) as client:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.15):
                    await client.predict_many("credit", rows(100), check=False)
            server.delay_s = lambda number: 0.0
            assert await client.predict("credit", ROW) == answer_of(ROW)
            assert len(asyncio.all_tasks()) == 1


def test_headers_are_sent_and_secrets_are_not_shown(ask):
    headers = {"Authorization": "Bearer s3cret", "X-Team": "risk"}
    with FaultServer() as server:
        shown = []

        def question(client):
            shown.append(repr(client))
            return client.predict("credit", ROW)

        ask(server.url, question, headers=headers)
        assert server.predictions[0].headers["Authorization"] == "Bearer s3cret"
    assert "s3cret" not in shown[0]
    assert "'X-Team': 'risk'" in shown[0]


@pytest.mark.parametrize(
    "settings",
    [{"timeout_s": 0}, {"retries": -1}, {"deadline_s": float("nan")}, {"chunk_rows": 0}, {"in_flight": 0}],
)
def test_a_setting_that_cannot_be_is_refused_by_name(settings):
    with pytest.raises(ClientError, match=next(iter(settings))):
        ekiben.Client("http://localhost:3000", **settings)


@pytest.mark.parametrize("url", ["localhost:3000", "", "ftp://localhost", "http://"])
def test_an_address_that_is_none_is_refused_with_an_example(url):
    with pytest.raises(ClientError, match="http://localhost:3000"):
        ekiben.Client(url)


def test_an_unknown_setting_is_refused():
    with pytest.raises(TypeError, match="timeout"):
        ekiben.Client("http://localhost:3000", timeout=3)


def test_a_closed_client_says_so():
    client = ekiben.Client("http://localhost:3000")
    client.close()
    with pytest.raises(ClientError, match="make a new one"):
        client.predict("credit", ROW)


def test_a_password_in_the_address_is_sent_and_not_shown():
    with pytest.raises(ClientError) as caught:
        ekiben.Client("http://me:pw@127.0.0.1:9", retries=0, **QUICK).models()
    assert "pw" not in str(caught.value)
