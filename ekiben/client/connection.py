"""Connection: what both clients tell httpx."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx

from ekiben.client.exchange import Reply, clock_s
from ekiben.errors import ClientError

if TYPE_CHECKING:
    import ssl

    from ekiben.client.exchange import Send
    from ekiben.client.settings import Settings


def options(settings: Settings, *, verify: ssl.SSLContext | bool) -> dict[str, Any]:
    """Return what `httpx.Client` and `httpx.AsyncClient` are made with."""
    from ekiben import __version__  # noqa: PLC0415 - the package is not complete while its modules are imported

    return {
        "headers": {"accept": "application/json", "user-agent": f"ekiben/{__version__}", **settings.headers},
        "verify": verify if settings.url.startswith("https:") else False,  # a context takes 40 ms
    }


def request(step: Send) -> dict[str, Any]:
    """Return what `build_request` is called with."""
    call = step.call
    return {
        "method": call.method,
        "url": call.url,
        "content": call.body,
        "headers": {} if call.body is None else {"content-type": call.content_type},
        "timeout": httpx.Timeout(max(step.timeout_s, 0.001)),
    }


class Body:
    """The body of an answer as it comes, until the deadline.

    Args:
        step: What was sent.
        response: The answer, of which only the head has come.
    """

    def __init__(self, step: Send, response: httpx.Response) -> None:
        self._until_s = step.until_s
        self._response = response
        self._bytes = bytearray()

    def add(self, piece: bytes) -> None:
        """Take the next bytes.

        Raises:
            httpx.ReadTimeout: The deadline has passed; httpx itself only bounds the wait for each piece.
        """
        self._bytes += piece
        if clock_s() > self._until_s:
            raise httpx.ReadTimeout(f"the deadline passed after {len(self._bytes)} bytes of the answer")

    def reply(self) -> Reply:
        """Return the whole answer."""
        return Reply(self._response.status_code, self._response.headers, bytes(self._bytes))


def closed(error: RuntimeError) -> ClientError:
    """Return what a closed client says."""
    return ClientError(f"the client cannot send: {error}; make a new one, or call it inside its `with`")
