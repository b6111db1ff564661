"""Reply: an answer before it is sent: status, headers, body. What the front door and BentoML's path have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping
    from typing import TypeAlias

    Message: TypeAlias = MutableMapping[str, Any]
    Scope: TypeAlias = MutableMapping[str, Any]
    Receive: TypeAlias = Callable[[], Awaitable[Message]]
    Send: TypeAlias = Callable[[Message], Awaitable[None]]
    ASGIApp: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]
    Headers: TypeAlias = tuple[tuple[bytes, bytes], ...]

JSON = (b"content-type", b"application/json")


class Reply(NamedTuple):
    """An answer, ready to send.

    Args:
        status: The HTTP status code.
        headers: Names in lower case and values, as ASGI wants them; the length is added when it is sent.
        body: The whole body.
    """

    status: int
    headers: Headers
    body: bytes

    async def send(self, send: Send) -> None:
        """Send it as the two messages of ASGI."""
        headers = [*self.headers, (b"content-length", str(len(self.body)).encode())]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": self.body})


def json_reply(content: Any, headers: Headers = (), status: int = 200) -> Reply:
    """Return `content` as a JSON answer."""
    return Reply(status, (*headers, JSON), msgspec.json.encode(content))
