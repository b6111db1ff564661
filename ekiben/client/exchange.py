"""Exchange: one request with its retries, as a talk between what must be done and what came of it.

Nothing is sent here. A talk is a generator that yields what to do (`Send`, `Wait`) and is told what came back; the two
clients carry it out, one with threads, the other with coroutines. So every decision exists once and is the same in both.
"""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Generator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, NamedTuple, TypeAlias, TypeVar

import httpx

from ekiben.errors import ClientError, DeadlineError

if TYPE_CHECKING:
    from ekiben.client.settings import Settings

RETRIED = frozenset({502, 503, 504})
"""What a gateway or a busy server says when the same request may well succeed later. Never a 4xx."""

_NOT_RETRIED = (httpx.UnsupportedProtocol, httpx.LocalProtocolError, httpx.DecodingError)
"""Failures that the same request would meet again."""


class Call(NamedTuple):
    """A request.

    Args:
        method: `GET` or `POST`.
        url: The whole address.
        body: What is posted.
        content_type: Its media type.
    """

    method: str
    url: str
    body: bytes | None = None
    content_type: str = "application/json"


class Reply(NamedTuple):
    """A whole answer, whatever its status."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Send(NamedTuple):
    """To do: send `call`, wait for at most `timeout_s` seconds at each step, and stop at `until_s` of the clock."""

    call: Call
    timeout_s: float
    until_s: float


class Wait(NamedTuple):
    """To do: wait."""

    seconds: float


Outcome: TypeAlias = Reply | httpx.RequestError | None
T = TypeVar("T")
Talk: TypeAlias = Generator[Send | Wait, Outcome, T]

clock_s = time.monotonic


def exchange(call: Call, settings: Settings) -> Talk[Reply]:
    """Send `call` until it is answered, or until trying again makes no sense.

    A prediction changes nothing on the server, so a POST may be sent twice.

    Raises:
        ClientError: The server cannot be reached.
        DeadlineError: It was reached and did not answer in time.
    """
    started_s = clock_s()
    until_s = started_s + settings.deadline_s
    for attempt in itertools.count(1):
        outcome = yield Send(call, min(settings.timeout_s, until_s - clock_s()), until_s)
        if isinstance(outcome, Reply) and outcome.status not in RETRIED:
            return outcome
        pause_s = _pause_s(outcome, attempt, settings)
        if pause_s is None or clock_s() + pause_s >= until_s:
            break
        yield Wait(pause_s)
    if isinstance(outcome, Reply):
        return outcome
    raise _failure(call, outcome, attempt, clock_s() - started_s)


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that `Retry-After` asks for, or None if it is absent or makes no sense.

    >>> retry_after_s({"retry-after": "2"})
    2.0
    >>> retry_after_s({"retry-after": "Sun, 06 Nov 1994 08:49:37 GMT", "date": "Sun, 06 Nov 1994 08:49:30 GMT"})
    7.0
    """
    stated = headers.get("retry-after", "").strip()
    if stated.isdigit():
        return float(stated)
    then = _date(stated)
    if then is None:
        return None
    now = _date(headers.get("date", "")) or datetime.now(UTC)  # the server's clock, where it tells it
    return max((then - now).total_seconds(), 0.0)


def _date(text: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(text)
    except ValueError:
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)


def _pause_s(outcome: Outcome, attempt: int, settings: Settings) -> float | None:
    """Return how long to wait before the next attempt, or None for no further attempt."""
    if attempt > settings.retries or isinstance(outcome, _NOT_RETRIED):
        return None
    jitter = random.random()  # noqa: S311 - spreads clients over time, keeps no secret
    asked_s = retry_after_s(outcome.headers) if isinstance(outcome, Reply) else None
    if asked_s is None:
        return float(min(settings.backoff_s * 2 ** (attempt - 1), settings.max_wait_s) * (0.5 + 0.5 * jitter))
    return asked_s + settings.backoff_s * jitter if asked_s <= settings.max_wait_s else None


def _failure(call: Call, outcome: Outcome, attempts: int, seconds: float) -> ClientError | DeadlineError:
    tries = f"{attempts} attempt{'s' if attempts > 1 else ''} in {seconds:.1f} s"
    reason = f"{type(outcome).__name__}{f': {outcome}' if str(outcome) else ''}"
    address = shown(call.url)
    if isinstance(outcome, (httpx.ReadTimeout, httpx.WriteTimeout)):
        return DeadlineError(
            f"{address} did not answer in time ({tries}; {reason}); raise timeout_s and deadline_s, or send fewer rows"
        )
    return ClientError(
        f"cannot reach {address} ({tries}; {reason}); is the address right, and is a server running there?",
        url=address,
    )


def shown(url: str) -> str:
    """Return `url` as messages show it, without a user's name and password."""
    return str(httpx.URL(url).copy_with(userinfo=b""))
