"""Session: what a client says to the server and what it remembers of it; the same for both clients.

Every method that needs the server is a talk (see `exchange`): it says what to do, and a client does it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote, urlencode

import msgspec

from ekiben.client import records as wire
from ekiben.client.exchange import Call, Reply, Talk, clock_s, exchange
from ekiben.client.frames import check as check_frame
from ekiben.client.frames import frame_of
from ekiben.client.problem import error_of, not_understood
from ekiben.client.scoring import Scoring
from ekiben.errors import InputError, MalformedError, RowError, TooLargeError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ekiben.client.answer import Answer
    from ekiben.client.settings import Settings
    from ekiben.signature import Signature

RECHECK_AFTER_S = 5.0
"""A row that does not fit a signature older than this is checked against a fresh one before it is refused."""

OK = 200

D = TypeVar("D")


class _Document(msgspec.Struct):
    """What `/models/{model}` tells, as far as a client needs it."""

    name: str
    version: str
    signature: msgspec.Raw


class _List(msgspec.Struct):
    models: list[dict[str, Any]]


@dataclass(frozen=True)
class Known:
    """A signature as the server told it.

    Args:
        signature: The signature.
        tag: Whose it is, `name:version`.
        since_s: When it came, in seconds of the clock.
    """

    signature: Signature
    tag: str
    since_s: float


class Session:
    """Talks of one client with one server, and the signatures that it has learned.

    Args:
        settings: How the client behaves.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._known: dict[str, Known] = {}

    def models(self) -> Talk[list[dict[str, Any]]]:
        """Ask which models are served."""
        call = Call("GET", f"{self.settings.url}/models")
        return _decoded((yield from self._ask(call)), call, _List).models

    def model(self, model: str) -> Talk[dict[str, Any]]:
        """Ask for all that the server tells about `model`."""
        call = self._about(model)
        return _decoded((yield from self._ask(call)), call, dict[str, Any])

    def signature(self, model: str) -> Talk[Known]:
        """Return the signature of `model`, from memory if it is young enough."""
        known = self._known.get(model)
        if known is None or clock_s() - known.since_s > self.settings.signature_age_s:
            known = yield from self._fetch(model)
        return known

    def predict(
        self, model: str, row: Mapping[str, object], fields: Sequence[str] | None, *, check: bool | None
    ) -> Talk[Answer]:
        """Ask for the answer to one row."""
        if not isinstance(row, Mapping):
            raise MalformedError(
                f"row: expected a dict of column names and values, got {type(row).__name__}; "
                "predict_many takes a list of rows, score takes a frame"
            )
        try:
            ready = yield from self._checked(model, [row], check=check)
            call = self._call(model, wire.encode(ready, single=True), fields)
        except InputError as error:
            raise wire.unnumbered(error) from None
        reply = yield from self._ask(call, model)
        return wire.decode(reply, call, rows=None)[0]

    def prepare(
        self, model: str, rows: Iterable[Mapping[str, object]], *, check: bool | None
    ) -> Talk[list[dict[str, Any]]]:
        """Return `rows` as they will be sent; those that do not fit are refused before anything is sent."""
        given = rows
        if isinstance(rows, Iterable) and not isinstance(rows, Mapping):
            rows = list(rows)
        if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
            raise MalformedError(
                f"rows: expected a list of dicts, got {type(given).__name__}; "
                "predict takes a single row, score takes a frame"
            )
        return (yield from self._checked(model, rows, check=check))

    def parts(
        self, model: str, rows: Sequence[Mapping[str, object]], fields: Sequence[str] | None
    ) -> Iterator[Talk[list[Answer]]]:
        """Return one talk for each part of `rows`; they may run at the same time."""
        size = self.settings.chunk_rows
        for start in range(0, len(rows), size):
            yield self.part(model, rows[start : start + size], fields, start)

    def part(
        self, model: str, rows: Sequence[Mapping[str, object]], fields: Sequence[str] | None, start: int
    ) -> Talk[list[Answer]]:
        """Ask for the answers to rows of which the first is row `start` for the caller; halve what is too large."""
        try:
            call = self._call(model, wire.encode(rows, single=False), fields)
            reply = yield from self._ask(call, model)
        except InputError as error:
            raise wire.moved(error, start) from None
        except RowError as error:
            raise RowError(error.row + start, error.reason) from None
        except TooLargeError:
            if len(rows) == 1:
                raise
            half = len(rows) // 2
            first = yield from self.part(model, rows[:half], fields, start)
            return first + (yield from self.part(model, rows[half:], fields, start + half))
        return wire.decode(reply, call, rows=len(rows))

    def score(
        self, model: str, frame: object, fields: Sequence[str] | None, *, check: bool | None
    ) -> Talk[Scoring]:
        """Check a whole frame, and return what scores it part by part."""
        table = frame_of(frame)
        check = _either(check, self.settings.check)
        known = yield from self.signature(model)
        if check:
            try:
                check_frame(table, known.signature)
            except InputError as refusal:
                known = yield from self._refreshed(model, known, refusal)
                check_frame(table, known.signature)
        return Scoring(self, model, known, table, fields, check=check)

    def _checked(
        self, model: str, rows: Sequence[Mapping[str, object]], *, check: bool | None
    ) -> Talk[list[dict[str, Any]]]:
        if not _either(check, self.settings.check):
            return wire.plain_records(rows)
        known = yield from self.signature(model)
        try:
            return _fitting(known.signature, rows)
        except InputError as refusal:
            known = yield from self._refreshed(model, known, refusal)
            return _fitting(known.signature, rows)

    def _refreshed(self, model: str, known: Known, refusal: InputError) -> Talk[Known]:
        """Return the signature of a newer version, because rows do not fit one that may be out of date.

        Raises:
            InputError: `refusal`, if there is nothing newer.
        """
        if clock_s() - known.since_s > RECHECK_AFTER_S:
            fresh = yield from self._fetch(model)
            if fresh.tag != known.tag:
                return fresh
        raise refusal

    def _fetch(self, model: str) -> Talk[Known]:
        from ekiben.signature import Signature  # noqa: PLC0415 - only a client that checks needs it

        call = self._about(model)
        document = _decoded((yield from self._ask(call)), call, _Document)
        signature = Signature.from_json(bytes(document.signature))
        known = Known(signature, f"{document.name}:{document.version}", clock_s())
        self._known[model] = known
        return known

    def _about(self, model: str) -> Call:
        return Call("GET", f"{self.settings.url}/models/{quote(model, safe=':')}")

    def _call(self, model: str, body: bytes, fields: Sequence[str] | None) -> Call:
        query = "" if fields is None else "?" + urlencode({"fields": ",".join(fields)}, safe=",")
        return Call("POST", f"{self.settings.url}/predict/{quote(model, safe=':')}{query}", body)

    def _ask(self, call: Call, model: str | None = None) -> Talk[Reply]:
        """Send `call`; forget what is known of `model` if another version answers."""
        reply = yield from exchange(call, self.settings)
        known = self._known.get(model) if model is not None else None
        if model is not None and known is not None and reply.headers.get("x-model", known.tag) != known.tag:
            self._known.pop(model, None)
        if reply.status != OK:
            raise error_of(reply, call)
        return reply


def _either(stated: bool | None, default: bool) -> bool:  # noqa: FBT001 - two of a kind
    return default if stated is None else stated


def _fitting(signature: Signature, rows: Sequence[Mapping[str, object]]) -> list[dict[str, Any]]:
    """Return `rows` as the signature takes them.

    Raises:
        InputError: Some do not fit; it lists every problem.
    """
    return [dict(zip(signature.names, row, strict=True)) for row in signature.check_records(rows)]


def _decoded(reply: Reply, call: Call, kind: type[D]) -> D:
    """Return the body of `reply` as what it has to be.

    Raises:
        ClientError: It is something else.
    """
    try:
        return msgspec.json.decode(reply.body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise not_understood(reply, call) from None
