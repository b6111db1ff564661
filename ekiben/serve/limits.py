"""Limits: how much one request may bring, and how long it may take to bring it."""

from __future__ import annotations

import os

import msgspec

from ekiben.errors import EkibenError


class Limits(msgspec.Struct, frozen=True):
    """Bounds of one request.

    Each can be set in the environment, as `EKIBEN_MAX_BODY_BYTES=1000000`.

    Args:
        max_body_bytes: Bytes of the body; more gets 413.
        max_rows: Rows of the body; more gets 413.
        body_timeout_s: Seconds until the whole body must have come; then 408.
        shutdown_grace_s: Seconds that requests in flight get when the server stops.
    """

    max_body_bytes: int = 16 * 1024 * 1024
    max_rows: int = 100_000
    body_timeout_s: float = 10.0
    shutdown_grace_s: float = 3.5

    @classmethod
    def from_environment(cls) -> Limits:
        """Return the limits with what `EKIBEN_*` variables say.

        Raises:
            EkibenError: A variable is not a number greater than 0.
        """
        stated: dict[str, float] = {}
        for name in cls.__struct_fields__:
            variable = f"EKIBEN_{name.upper()}"
            text = os.environ.get(variable)
            if text is None:
                continue
            try:
                value = float(text) if name.endswith("_s") else int(text)
            except ValueError:
                value = 0
            if not value > 0:
                raise EkibenError(f"{variable}={text!r}: expected a number greater than 0")
            stated[name] = value
        return msgspec.convert(stated, cls)
