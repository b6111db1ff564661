"""Problem: from an answer that is no success to the error that it tells about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from ekiben.client.exchange import shown
from ekiben.errors import ClientError, EkibenError, by_code

if TYPE_CHECKING:
    from ekiben.client.exchange import Call, Reply

URN = "urn:ekiben:problem:"

MAX_QUOTED_CHARS = 200
"""How much of an answer that nobody understands is quoted."""


def error_of(reply: Reply, call: Call) -> EkibenError:
    """Return the error that `reply` tells about.

    Args:
        reply: An answer whose status is not 200.
        call: What was asked.

    Returns:
        The same error that the server met, if it is Ekiben's, with its data; else a `ClientError` that says the
        status, the address and how the answer begins.
    """
    members = _members(reply)
    kind = by_code().get(str(members.get("type", "")).removeprefix(URN)) if members else None
    if kind is not None:
        try:
            return kind.from_members(str(members.get("detail", kind.title)), members)
        except (TypeError, ValueError, msgspec.ValidationError):
            pass  # a gateway or another version used our code for something else
    return not_understood(reply, call)


def not_understood(reply: Reply, call: Call) -> ClientError:
    """Return the error for an answer that no Ekiben server gives."""
    text = reply.body[: 4 * MAX_QUOTED_CHARS].decode("utf-8", errors="replace").strip()
    text = text[:MAX_QUOTED_CHARS] + ("…" if len(text) > MAX_QUOTED_CHARS else "")
    address = shown(call.url)
    said = f"it begins with: {text}" if text else "it is empty"
    return ClientError(
        f"{call.method} {address} was answered with status {reply.status}, and not by Ekiben; {said}",
        status=reply.status,
        url=address,
    )


def _members(reply: Reply) -> dict[str, Any]:
    if "json" not in reply.headers.get("content-type", ""):
        return {}
    try:
        members = msgspec.json.decode(reply.body)
    except msgspec.DecodeError:
        return {}
    return members if isinstance(members, dict) else {}
