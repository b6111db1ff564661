"""Predict: from the bytes of a request to the bytes of its answer. Both paths, ours and BentoML's, end here."""

from __future__ import annotations

import asyncio
import itertools
import secrets
from typing import TYPE_CHECKING

import msgspec

from ekiben.errors import NotReadyError, UnsupportedError
from ekiben.serve.problem import problem
from ekiben.serve.reply import JSON, Reply

if TYPE_CHECKING:
    from http import HTTPStatus

    from ekiben.runner import Runner
    from ekiben.serve.limits import Limits
    from ekiben.serve.metrics import ModelMetrics

DECODE_AT_ONCE_BYTES = 128 * 1024
"""A larger body is decoded in a thread, so that the others need not wait until all that is wrong with it is found."""

_encode = msgspec.json.Encoder().encode
_id_prefix = secrets.token_hex(6)
_id_numbers = itertools.count(1)


class Predict:
    """Answers prediction requests of one model.

    Args:
        runner: The model.
        limits: What a request may bring.
        metrics: Where requests are counted.
    """

    def __init__(self, runner: Runner, limits: Limits, metrics: ModelMetrics) -> None:
        self.runner = runner
        self._limits = limits
        self.metrics = metrics
        self._model_header = (b"x-model", runner.tag.encode())

    async def __call__(
        self, body: bytes, *, content_type: str = "application/json", fields: str | None = None
    ) -> Reply:
        """Return the answer to one request; an error is an answer too.

        Args:
            body: One record, or a list of records.
            content_type: The media type of `body`, as the caller stated it.
            fields: The answer fields that the caller asks for, separated by commas; None for those of the signature.
        """
        try:
            return await self._answer(body, content_type, fields)
        except Exception as error:  # noqa: BLE001 - every failure is told as a problem; `problem` logs what is ours
            return self.refuse(error)

    def refuse(self, error: Exception, status: HTTPStatus | None = None) -> Reply:
        """Return the answer that tells about `error`, in the name of this model."""
        return problem(error, status=status, headers=(self._model_header,))

    async def _answer(self, body: bytes, content_type: str, fields: str | None) -> Reply:
        check_content_type(content_type)
        if not self.runner.is_ready:
            raise NotReadyError(f"model {self.runner.name!r} is not ready: {self.runner.failure}")
        asked = None if fields is None else [name.strip() for name in fields.split(",") if name.strip()]
        chosen = self.runner.signature.output.choose(asked)
        if len(body) > DECODE_AT_ONCE_BYTES:
            request = await asyncio.to_thread(self.runner.decoder.decode, body, self._limits.max_rows)
        else:
            request = self.runner.decoder.decode(body, self._limits.max_rows)
        answers = await self.runner.predict_rows(request.rows, fields=chosen)
        self.metrics.rows(len(request.rows))
        prediction_id = f"{_id_prefix}{next(_id_numbers):08x}".encode()
        headers = ((b"x-prediction-id", prediction_id), self._model_header, JSON)
        return Reply(200, headers, _encode(answers[0] if request.single else answers))


def check_content_type(content_type: str) -> None:
    """Check that a body of this media type can be read.

    Raises:
        UnsupportedError: It is not JSON.
    """
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type not in ("application/json", "") and not media_type.endswith("+json"):
        raise UnsupportedError(f"content type {media_type!r}: expected application/json")
