"""The front door, driven message by message: limits, slow bodies, callers that leave, shutdown."""

import asyncio
import json
import threading
from types import SimpleNamespace

import pytest

from ekiben.batching import Batcher, BatchLimits
from ekiben.errors import NotReadyError
from ekiben.serve.front_door import FrontDoor
from ekiben.serve.life import Life
from ekiben.serve.limits import Limits
from ekiben.serve.predict import Predict
from ekiben.signature import Column, Decoder, Output


class Echo:
    """A runner of a model that answers its one column, made of the real batcher and the real decoder."""

    name, tag, version = "echo", "echo:1", "1"

    def __init__(self, limits=None):
        self.signature = SimpleNamespace(output=Output(kind="number"))
        self.decoder = Decoder([Column(name="x", kind="integer", dtype="int64")])
        self.gate = threading.Event()
        self.gate.set()
        self.entered = threading.Event()
        self.computed = []
        self.batcher = Batcher(self._run, limits=limits, name=self.name)
        self.failure = None

    def _run(self, rows, key):
        self.entered.set()
        assert self.gate.wait(30)
        self.computed.extend(value for (value,) in rows)
        if any(value < 0 for (value,) in rows):
            raise ValueError("negative")
        return [{"prediction": value} for (value,) in rows]

    @property
    def is_ready(self):
        return self.failure is None

    @property
    def answers_at_once(self):
        return self.batcher.answers_at_once

    async def start(self):
        pass

    async def close(self, grace_s):
        self.failure = "it is shutting down"
        await self.batcher.close(grace_s)

    async def predict_rows(self, rows, *, fields=None, timeout_s=None):
        if self.failure:
            raise NotReadyError(self.failure)
        return await self.batcher.submit(rows, key=fields)


class Tally:
    """Metrics that only remember."""

    def __init__(self):
        self.statuses = []

    def observe(self, status, seconds):
        self.statuses.append(status)

    def rows(self, count):
        pass

    def publish(self):
        pass


class House:
    """A front door before an app that answers 299, and a caller at it."""

    def __init__(self, *, limits=None, batch_limits=None, **options):
        self.runner = Echo(batch_limits)
        self.tally = Tally()
        self.fell_through = []
        limits = limits or Limits()
        predict = Predict(self.runner, limits, self.tally)
        self.door = FrontDoor(self._behind, {"echo": predict}, None, limits, **options)
        self.life = Life(self.door, [self.runner], [self.tally], limits)

    async def _behind(self, scope, receive, send):
        if scope["type"] == "lifespan":
            while (await receive())["type"] != "lifespan.shutdown":
                await send({"type": "lifespan.startup.complete"})
            await send({"type": "lifespan.shutdown.complete"})
            return
        self.fell_through.append(scope["path"])
        await send({"type": "http.response.start", "status": 299, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def call(self, path="/predict", *chunks, method="POST", query=b"", leave=None, **headers):
        """Send a request; `leave` is an event after which the caller goes away."""
        incoming = [
            {"type": "http.request", "body": chunk, "more_body": n < len(chunks) - 1}
            for n, chunk in enumerate(chunks)
        ] or [{"type": "http.request", "body": b"", "more_body": False}]
        sent = []

        async def receive():
            if incoming:
                message = incoming.pop(0)
                return await message if asyncio.isfuture(message) or asyncio.iscoroutine(message) else message
            await (leave or asyncio.Event()).wait()
            return {"type": "http.disconnect"}

        async def send(message):
            sent.append(message)

        pairs = {"content-type": "application/json"} | {k.replace("_", "-"): v for k, v in headers.items()}
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "query_string": query,
            "headers": [(k.encode(), v.encode()) for k, v in pairs.items()],
        }
        await self.door(scope, receive, send)
        if not sent:
            return None
        body = sent[1]["body"]
        return SimpleNamespace(
            status=sent[0]["status"],
            headers={k.decode(): v.decode() for k, v in sent[0]["headers"]},
            json=json.loads(body) if body else None,
        )


async def test_a_record_gives_an_answer_and_a_list_gives_a_list():
    house = House()
    one = await house.call("/predict/echo", b'{"x": 3}')
    assert (one.status, one.json) == (200, {"prediction": 3})
    many = await house.call("/predict", b'[{"x": 3}, {"x": 4}]')
    assert many.json == [{"prediction": 3}, {"prediction": 4}]
    assert (await house.call("/predict", b"[]")).json == []


async def test_every_answer_says_who_gave_it_and_has_an_id_of_its_own():
    house = House()
    answers = [await house.call("/predict", b'{"x": 3}') for _ in range(3)]
    assert {answer.headers["x-model"] for answer in answers} == {"echo:1"}
    assert len({answer.headers["x-prediction-id"] for answer in answers}) == 3


async def test_what_the_front_door_does_not_know_falls_through():
    house = House(prefix="/v1")
    assert (await house.call("/predict", b"{}")).status == 299
    assert (await house.call("/v1/predict", b'{"x": 3}')).status == 200
    assert (await house.call("/docs.json", method="GET")).status == 299
    assert house.fell_through == ["/predict", "/docs.json"]


async def test_a_route_of_the_service_itself_falls_through():
    house = House(taken={"/predict/echo"})
    assert (await house.call("/predict/echo", b'{"x": 3}')).status == 299
    assert (await house.call("/predict", b'{"x": 3}')).status == 200


async def test_an_address_that_nobody_knows_is_answered_with_the_nearest():
    house = House(is_known=lambda scope: False)
    answer = await house.call("/model", method="GET")
    assert answer.status == 404
    assert answer.json["type"] == "urn:ekiben:problem:not-found"
    assert answer.json["nearest"] == "/models"
    assert house.fell_through == []


async def test_a_slash_at_the_end_does_no_harm():
    assert (await House().call("/predict/echo/", b'{"x": 3}')).json == {"prediction": 3}


async def test_a_misspelt_parameter_is_told():
    answer = await House().call("/predict", b'{"x": 3}', query=b"field=probability")
    assert answer.status == 422
    assert "did you mean 'fields'?" in answer.json["detail"]
    assert (await House().call("/predict", b'{"x": 3}', query=b"trace=1")).status == 200


async def test_every_request_is_counted_refused_ones_too():
    house = House(limits=Limits(max_body_bytes=10))
    await house.call("/predict", b'{"x": 3}')
    await house.call("/predict", b'{"x": 3}', content_length="11")
    await house.call("/predict", b'{"x": 3}', content_encoding="gzip")
    await house.call("/predict", b"{}")
    assert house.tally.statuses == [200, 413, 415, 422]


async def test_an_unknown_model_is_answered_with_the_nearest_name():
    answer = await House().call("/predict/ecko", b"{}")
    assert answer.status == 404
    assert answer.json["nearest"] == "echo"
    assert "did you mean 'echo'?" in answer.json["detail"]


@pytest.mark.parametrize(
    ("body", "headers", "status", "code"),
    [
        (b"", {}, 400, "malformed"),
        (b"{", {}, 400, "malformed"),
        (b'{"x": NaN}', {}, 400, "malformed"),
        (b"3", {}, 400, "malformed"),
        (b'{"x": 3}', {"content_type": "text/csv"}, 415, "unsupported"),
        (b'{"x": 3}', {"content_encoding": "gzip"}, 415, "unsupported"),
        (b'{"x": "3"}', {}, 422, "invalid-input"),
        (b'{"x": -3}', {}, 422, "row"),
    ],
)
async def test_a_bad_request_is_told_as_problem_json(body, headers, status, code):
    house = House()
    answer = await house.call("/predict", body, **headers)
    assert answer.status == answer.json["status"] == status
    assert answer.json["type"] == f"urn:ekiben:problem:{code}"
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-model"] == "echo:1"
    assert {"title", "detail"} <= answer.json.keys()
    await house.runner.close(1)


async def test_a_wrong_method_is_told_the_right_one():
    house = House()
    answer = await house.call("/predict", method="GET")
    assert answer.status == 405
    assert answer.headers["allow"] == "POST"
    assert (await house.call("/models", method="DELETE")).headers["allow"] == "GET, HEAD"


async def test_a_body_larger_than_the_limit_is_refused_before_it_is_read():
    house = House(limits=Limits(max_body_bytes=10))
    answer = await house.call("/predict", b'{"x": 3}', content_length="11")
    assert answer.status == 413
    assert "11 bytes, but at most 10" in answer.json["detail"]


async def test_a_body_without_a_length_is_refused_when_it_grows_too_large():
    house = House(limits=Limits(max_body_bytes=10))
    assert (await house.call("/predict", b'{"x":', b" 3   ", b"}", b" ")).status == 413
    assert (await house.call("/predict", b'{"x":', b" 3}")).json == {"prediction": 3}


async def test_a_single_chunk_larger_than_the_limit_is_refused():
    house = House(limits=Limits(max_body_bytes=10))
    assert (await house.call("/predict", b'{"x":      3}')).status == 413


async def test_too_many_rows_are_refused():
    house = House(limits=Limits(max_rows=2))
    answer = await house.call("/predict", b'[{"x": 1}, {"x": 2}, {"x": 3}]')
    assert answer.status == 413
    assert "3 rows" in answer.json["detail"]


async def test_a_length_that_is_no_number_is_a_bad_request():
    assert (await House().call("/predict", b'{"x": 3}', content_length="many")).status == 400


async def test_a_body_that_does_not_come_is_not_waited_for():
    house = House(limits=Limits(body_timeout_s=0.05))
    scope = {"type": "http", "method": "POST", "path": "/predict", "query_string": b"", "headers": []}
    sent = []

    async def receive():
        await asyncio.sleep(30)

    async def send(message):
        sent.append(message)

    await asyncio.wait_for(house.door(scope, receive, send), 5)
    assert sent[0]["status"] == 408


async def test_the_work_of_a_caller_who_leaves_is_dropped():
    house = House()
    house.runner.gate.clear()
    first = asyncio.create_task(house.call("/predict", b'{"x": 1}'))
    while not house.runner.entered.is_set():  # noqa: ASYNC110 - the event is set by a thread
        await asyncio.sleep(0.001)
    leave = asyncio.Event()
    gone = asyncio.create_task(house.call("/predict", b'{"x": 2}', leave=leave))
    stays = asyncio.create_task(house.call("/predict", b'{"x": 3}'))
    await asyncio.sleep(0.02)
    leave.set()
    assert await gone is None
    house.runner.gate.set()
    assert (await first).json == {"prediction": 1}
    assert (await stays).json == {"prediction": 3}
    assert house.runner.computed == [1, 3]
    assert house.runner.batcher.counts.cancelled == 1
    assert house.tally.statuses == [499, 200, 200]


async def test_a_full_queue_is_a_503_that_says_when_to_come_back():
    house = House(batch_limits=BatchLimits(max_queue_rows=1))
    house.runner.gate.clear()
    requests = []
    for x in range(3):
        requests.append(asyncio.create_task(house.call("/predict", b'{"x": %d}' % x)))
        await asyncio.sleep(0.02)
    refused = await requests[2]
    assert refused.status == 503
    assert int(refused.headers["retry-after"]) >= 1
    house.runner.gate.set()
    assert [(await request).status for request in requests[:2]] == [200, 200]
    assert sorted(house.tally.statuses) == [200, 200, 503]


async def test_a_late_answer_is_a_504():
    house = House(batch_limits=BatchLimits(timeout_s=0.05))
    house.runner.gate.clear()
    answer = await house.call("/predict", b'{"x": 1}')
    house.runner.gate.set()
    assert answer.status == 504
    assert answer.json["type"] == "urn:ekiben:problem:deadline"


async def test_a_model_that_is_not_ready_says_why_and_so_does_readyz():
    house = House()
    assert (await house.call("/readyz", method="GET")).json == {"ready": True}
    house.runner.failure = "model.skops was changed"
    ready = await house.call("/readyz", method="GET")
    assert ready.status == 503
    assert "'echo': model.skops was changed" in ready.json["detail"]
    assert (await house.call("/predict", b'{"x": 1}')).status == 503


async def test_shutdown_lets_requests_in_flight_finish():
    house = House()
    house.runner.gate.clear()
    messages = asyncio.Queue()
    sent = []

    async def send(message):
        sent.append(message["type"])

    life = asyncio.create_task(house.life({"type": "lifespan"}, messages.get, send))
    await messages.put({"type": "lifespan.startup"})
    request = asyncio.create_task(house.call("/predict", b'{"x": 1}'))
    await asyncio.sleep(0.02)
    await messages.put({"type": "lifespan.shutdown"})
    await asyncio.sleep(0.02)
    assert (await house.call("/predict", b'{"x": 2}')).status == 503
    house.runner.gate.set()
    assert (await request).json == {"prediction": 1}
    await asyncio.wait_for(life, 5)
    assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
