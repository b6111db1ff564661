"""Settings: how a client behaves, checked once."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ekiben.errors import ClientError

if TYPE_CHECKING:
    from collections.abc import Mapping

_SECRET = re.compile(r"authorization|token|key|secret|cookie", re.IGNORECASE)
_USER = re.compile(r"//[^/@]*@")


@dataclass(frozen=True, repr=False)
class Settings:
    """How a client behaves.

    Args:
        url: Where the server is: `http://localhost:3000`, with a path if it stands behind one.
        timeout_s: Longest wait for a connection, and for the next bytes of an answer, in seconds.
        retries: How often a call is sent again after a lost connection or a 502, 503 or 504; 0 for never.
        deadline_s: Longest time for one request with all its retries, in seconds.
        backoff_s: The wait before the first retry, in seconds; it doubles each time, with jitter.
        max_wait_s: The longest single wait, in seconds. A server that asks for more (`Retry-After`) is not waited for.
        chunk_rows: Rows in one request of `predict_many` and `score`.
        in_flight: Requests of `predict_many` and `score` that run at the same time.
        signature_age_s: How long a signature is kept before it is asked for again, in seconds.
        check: Whether rows are checked against the signature before they are sent.
        headers: Sent with each request, for example `{"Authorization": "Bearer ..."}`.

    Raises:
        ClientError: A value is not usable.

    >>> Settings("http://me:pw@localhost:3000/", headers={"Authorization": "Bearer x"})
    Settings(url='http://***@localhost:3000', headers={'Authorization': '***'})
    """

    url: str
    timeout_s: float = 10.0
    retries: int = 3
    deadline_s: float = 60.0
    backoff_s: float = 0.2
    max_wait_s: float = 30.0
    chunk_rows: int = 2_000
    in_flight: int = 4
    signature_age_s: float = 300.0
    check: bool = True
    headers: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not re.match(r"https?://[^/]+", self.url):
            raise ClientError(
                f"{self.url!r} is not the address of a server; give one like 'http://localhost:3000'"
            )
        object.__setattr__(self, "url", self.url.rstrip("/"))
        for name, least in _LEAST.items():
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= least and (least or value > 0 or name in _MAY_BE_ZERO)):
                bound = f"at least {least}" if least or name in _MAY_BE_ZERO else "greater than 0"
                raise ClientError(f"{name}={value!r}: expected a number that is {bound}")

    @property
    def shown_url(self) -> str:
        """The address without a user's name and password."""
        return _USER.sub("//***@", self.url)

    def __repr__(self) -> str:
        shown = [f"url={self.shown_url!r}"]
        for name, known in self.__dataclass_fields__.items():
            value = getattr(self, name)
            if name == "headers":
                value = {key: "***" if _SECRET.search(key) else text for key, text in value.items()}
            if name != "url" and value and value != known.default:
                shown.append(f"{name}={value!r}")
        return f"Settings({', '.join(shown)})"


_LEAST: dict[str, int] = {
    "timeout_s": 0,
    "retries": 0,
    "deadline_s": 0,
    "backoff_s": 0,
    "max_wait_s": 0,
    "chunk_rows": 1,
    "in_flight": 1,
    "signature_age_s": 0,
}
_MAY_BE_ZERO = ("retries", "backoff_s", "max_wait_s", "signature_age_s")
