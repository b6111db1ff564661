"""A small real server with Ekiben's HTTP contract: known answers, and faults on demand."""

from __future__ import annotations

import json
import math
import socket
import threading
import time
from collections import deque
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import parse_qs, urlsplit

import msgspec

from ekiben.signature import Column, Output, Signature

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from ekiben.errors import EkibenError

SIGNATURE = Signature(
    columns=(
        Column(name="x", kind="float", dtype="float64", nullable=True),
        Column(name="n", kind="integer", dtype="int64"),
        Column(name="colour", kind="category", dtype="str", categories=("red", "green", "blue")),
    ),
    output=Output(
        kind="label",
        classes=(0, 1),
        fields=("prediction", "probability"),
        available=("prediction", "probability", "probabilities"),
    ),
    example={"x": 0.5, "n": 2, "colour": "red"},
    container="pandas",
)


def probability_of(row: Mapping[str, Any]) -> float:
    """What the model of these tests says about a row."""
    z = (row.get("x") or 0.0) + 0.25 * row["n"] - {"red": 0.0, "green": 1.0, "blue": 2.0}[row["colour"]]
    return 1.0 / (1.0 + math.exp(-z))


def answer_of(row: Mapping[str, Any], fields: Iterable[str] = SIGNATURE.output.fields) -> dict[str, Any]:
    """The whole answer to a row."""
    chance = probability_of(row)
    every = {
        "prediction": int(chance >= 0.5),
        "probability": chance,
        "probabilities": {"0": 1.0 - chance, "1": chance},
    }
    return {name: every[name] for name in fields}


def rows(count: int) -> list[dict[str, Any]]:
    """Different rows, some with a missing value."""
    colours = ("red", "green", "blue")
    return [
        {
            "x": None if index % 7 == 3 else (index % 100) / 10 - 5,
            "n": index % 5,
            "colour": colours[index % 3],
        }
        for index in range(count)
    ]


@dataclass
class Fault:
    """What happens to one request instead of its answer.

    Args:
        status: The status that is answered; 0 answers as usual.
        body: What is answered.
        headers: Further headers.
        delay_s: How long the answer takes.
        cut: Whether the connection is closed: before the answer, or within it.
    """

    status: int = 0
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    delay_s: float = 0.0
    cut: str = ""


def problem(error: EkibenError, status: int, **headers: str) -> Fault:
    """The fault that tells about `error` as the server does."""
    body = {
        "type": f"urn:ekiben:problem:{error.code}",
        "title": error.title,
        "status": status,
        "detail": str(error),
        **error.members(),
    }
    return Fault(status, msgspec.json.encode(body), {"content-type": "application/problem+json", **headers})


@dataclass
class Seen:
    """A request that came."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    at_s: float


class FaultServer(AbstractContextManager["FaultServer"]):
    """The server, in a thread.

    Args:
        faults: What happens to the first predictions, in their order.
        signature: What the model takes.
        judge: May refuse the rows of a request: returns a fault, or None.
    """

    def __init__(
        self,
        *faults: Fault,
        signature: Signature = SIGNATURE,
        judge: Callable[[list[dict[str, Any]]], Fault | None] = lambda rows: None,
        answer: Callable[..., dict[str, Any]] = answer_of,
        delay_s: Callable[[int], float] = lambda number: 0.0,
    ) -> None:
        self.faults = deque(faults)
        self.signature = signature
        self.judge = judge
        self.answer = answer
        self.delay_s = delay_s
        self.version = "v1"
        self.seen: list[Seen] = []
        self.most_in_flight = 0
        self._in_flight = 0
        self._lock = threading.Lock()
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self) -> None:
                server._serve(self)

            def do_POST(self) -> None:
                server._serve(self)

            def log_message(self, *values: object) -> None:
                pass

        class Quiet(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request: object, client_address: object) -> None:
                pass  # a client that left is part of some tests

        self._http = Quiet(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}"
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *reason: object) -> None:
        self._http.shutdown()
        self._http.server_close()

    @property
    def predictions(self) -> list[Seen]:
        """The prediction requests that came."""
        return [seen for seen in self.seen if seen.method == "POST"]

    @property
    def model_requests(self) -> list[Seen]:
        """The requests for a signature."""
        return [seen for seen in self.seen if seen.path.startswith("/models/")]

    def _serve(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers.get("content-length", 0)))
        with self._lock:
            seen = Seen(handler.command, handler.path, dict(handler.headers.items()), body, time.monotonic())
            self.seen.append(seen)
            number = len(self.predictions)
            fault = self.faults.popleft() if handler.command == "POST" and self.faults else Fault()
            self._in_flight += 1
            self.most_in_flight = max(self.most_in_flight, self._in_flight)
        try:
            time.sleep(fault.delay_s + self.delay_s(number))
            self._answer(handler, body, fault)
        finally:
            with self._lock:
                self._in_flight -= 1

    def _answer(self, handler: BaseHTTPRequestHandler, body: bytes, fault: Fault) -> None:
        if fault.cut == "before":
            handler.connection.shutdown(socket.SHUT_RDWR)
            handler.close_connection = True
            return
        if fault.status:
            _send(handler, fault.status, fault.body, fault.headers)
            return
        address = urlsplit(handler.path)
        if address.path == "/models":
            _send(
                handler,
                200,
                json.dumps({"models": [{"name": "credit", "version": self.version}]}).encode(),
                {},
            )
        elif address.path == "/models/credit":
            document = {
                "name": "credit",
                "version": self.version,
                "signature": msgspec.Raw(self.signature.to_json()),
            }
            _send(handler, 200, msgspec.json.encode(document), {})
        elif address.path == "/predict/credit":
            self._predict(handler, body, parse_qs(address.query), fault)
        else:
            _send(handler, 404, b"<html>no such page</html>", {"content-type": "text/html"})

    def _predict(
        self, handler: BaseHTTPRequestHandler, body: bytes, query: dict[str, list[str]], fault: Fault
    ) -> None:
        given = json.loads(body)
        listed = given if isinstance(given, list) else [given]
        refused = self.judge(listed)
        if refused is not None:
            _send(
                handler,
                refused.status,
                refused.body,
                {**refused.headers, "x-model": f"credit:{self.version}"},
            )
            return
        fields = query["fields"][0].split(",") if "fields" in query else self.signature.output.fields
        answers = [self.answer(row, fields) for row in listed]
        content = json.dumps(answers if isinstance(given, list) else answers[0]).encode()
        headers = {"x-prediction-id": f"p{len(self.seen)}", "x-model": f"credit:{self.version}"}
        if fault.cut == "drip":
            headers["content-length"] = str(len(content) + 1000)
            _send(handler, 200, content, headers)
            for _ in range(1000):
                handler.wfile.write(b" ")
                time.sleep(0.02)
        elif fault.cut == "within":
            headers["content-length"] = str(len(content) + 100)
            _send(handler, 200, content, headers)
            handler.close_connection = True
        else:
            _send(handler, 200, content, headers)


def _send(handler: BaseHTTPRequestHandler, status: int, body: bytes, headers: Mapping[str, str]) -> None:
    handler.send_response_only(status)  # it adds no date of its own
    for name, value in {
        "content-type": "application/json",
        "content-length": str(len(body)),
        **headers,
    }.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(body)
