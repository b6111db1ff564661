"""Problem: an error as `application/problem+json` (RFC 9457). The only place where errors get a status code."""

from __future__ import annotations

import logging
import math
from http import HTTPStatus

import msgspec

from ekiben.errors import (
    AddressNotFoundError,
    DeadlineError,
    EkibenError,
    InputError,
    MalformedError,
    ModelNotFoundError,
    NotReadyError,
    OverloadedError,
    RowError,
    TooLargeError,
    UnsupportedError,
)
from ekiben.serve.reply import Reply

MEDIA_TYPE = b"application/problem+json"

STATUS: dict[type[EkibenError], HTTPStatus] = {
    MalformedError: HTTPStatus.BAD_REQUEST,
    AddressNotFoundError: HTTPStatus.NOT_FOUND,
    ModelNotFoundError: HTTPStatus.NOT_FOUND,
    TooLargeError: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    UnsupportedError: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    InputError: HTTPStatus.UNPROCESSABLE_ENTITY,
    RowError: HTTPStatus.UNPROCESSABLE_ENTITY,
    OverloadedError: HTTPStatus.SERVICE_UNAVAILABLE,
    NotReadyError: HTTPStatus.SERVICE_UNAVAILABLE,
    DeadlineError: HTTPStatus.GATEWAY_TIMEOUT,
}
"""The status of each error; any other is a 500."""

_log = logging.getLogger("ekiben.serve")


def problem(
    error: Exception, *, status: HTTPStatus | None = None, headers: tuple[tuple[bytes, bytes], ...] = ()
) -> Reply:
    """Return the answer that tells the caller about `error`.

    An error that is not Ekiben's is logged with its traceback; the caller learns only that it happened.

    Args:
        error: What went wrong.
        status: Overrules the status of the error's kind.
        headers: Further headers, such as `Allow`.
    """
    if not isinstance(error, EkibenError):
        _log.error("unexpected error while answering a request", exc_info=error)
        error = EkibenError("the server failed while answering; its log says why")
    status = status or STATUS.get(type(error), HTTPStatus.INTERNAL_SERVER_ERROR)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR and not isinstance(error, (OverloadedError, NotReadyError)):
        _log.warning("%d %s: %s", status, error.title, error)
    body = {
        "type": f"urn:ekiben:problem:{error.code}",
        "title": error.title,
        "status": int(status),
        "detail": str(error),
        **error.members(),
    }
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        wait_s = error.retry_after_s if isinstance(error, OverloadedError) else 1.0
        headers = (*headers, (b"retry-after", str(math.ceil(wait_s)).encode()))
    return Reply(int(status), (*headers, (b"content-type", MEDIA_TYPE)), msgspec.json.encode(body))
