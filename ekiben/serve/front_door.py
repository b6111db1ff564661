"""The front door: an ASGI app that stands before BentoML's and answers the routes of Ekiben itself.

Everything that it does not know falls through: docs, livez, metrics, your own `@bentoml.api` methods.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from http import HTTPStatus
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import parse_qs, unquote

from ekiben.errors import (
    DeadlineError,
    MalformedError,
    ModelNotFoundError,
    NotReadyError,
    RequestError,
    TooLargeError,
    UnsupportedError,
)
from ekiben.serve.problem import problem
from ekiben.serve.reply import Reply, json_reply
from ekiben.serve.stopping import bound_stop

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping

    from ekiben.serve.catalog import Catalog
    from ekiben.serve.limits import Limits
    from ekiben.serve.metrics import ModelMetrics
    from ekiben.serve.predict import Predict
    from ekiben.serve.reply import ASGIApp, Message, Receive, Scope, Send

    Answerer: TypeAlias = Callable[[Scope, Receive], Awaitable[Reply]]

PUBLISH_EVERY_S = 2.0
"""How often a worker writes its gauges for Prometheus, in seconds."""

_log = logging.getLogger("ekiben.serve")


class ClientGoneError(Exception):
    """The caller closed the connection before the answer was there."""


class FrontDoor:
    """Answers prediction and catalogue routes, and hands everything else to `app`.

    Args:
        app: BentoML's app.
        predictors: One for each model, by name, the default first.
        catalog: What `/models` tells.
        metrics: What is published for each model.
        limits: What one request may bring.
        prefix: The path that all routes begin with, such as `/v1`; usually empty.
        default_route: Whether `/predict` is answered; not if the service has a method of that name of its own.
        predicts: Whether prediction routes are answered here; else BentoML's app answers them, as it would anyway.
    """

    def __init__(
        self,
        app: ASGIApp,
        predictors: Mapping[str, Predict],
        catalog: Catalog,
        metrics: tuple[ModelMetrics, ...],
        limits: Limits,
        *,
        prefix: str = "",
        default_route: bool = True,
        predicts: bool = True,
    ) -> None:
        self._app = app
        self._predictors = dict(predictors)
        self._catalog = catalog
        self._metrics = metrics
        self._limits = limits
        self._under_predict = f"{prefix}/predict/"
        self._under_models = f"{prefix}/models/"
        self._predicts = predicts
        self._routes: dict[str, Answerer] = {
            f"{prefix}/models": self._models,
            f"{prefix}/readyz": self._readyz,
        }
        if predicts:
            for name, predict in self._predictors.items():
                self._routes[f"{self._under_predict}{name}"] = self._posted(predict)
            if default_route and self._predictors:
                self._routes[f"{prefix}/predict"] = self._posted(next(iter(self._predictors.values())))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or hand on, what ASGI brings."""
        if scope["type"] == "lifespan":
            return await self._live(scope, receive, send)
        answer = self._find(scope) if scope["type"] == "http" else None
        if answer is None:
            return await self._app(scope, receive, send)
        try:
            reply = await answer(scope, receive)
        except ClientGoneError:
            return None
        except Exception as error:  # noqa: BLE001 - every failure is told as a problem
            reply = problem(error)
        return await reply.send(send)

    def _find(self, scope: Scope) -> Answerer | None:
        path: str = scope["path"]
        answer = self._routes.get(path)
        if answer is None:
            if self._predicts and path.startswith(self._under_predict):
                return self._no_such_model
            if path.startswith(self._under_models):
                return self._model
        return answer

    def _posted(self, predict: Predict) -> Answerer:
        """Return what answers a prediction route."""

        async def answer(scope: Scope, receive: Receive) -> Reply:
            if scope["method"] != "POST":
                return _wrong_method(scope, "POST")
            try:
                content_type = self._check_headers(scope["headers"])
                body = await self._read(receive)
            except RequestError as error:
                return predict.refuse(error)
            except DeadlineError as error:
                return problem(error, status=HTTPStatus.REQUEST_TIMEOUT)
            work = predict(body, content_type=content_type, fields=_asked_fields(scope["query_string"]))
            if predict.runner.answers_at_once:
                return await work
            return await _unless_gone(work, receive)

        return answer

    def _check_headers(self, headers: Iterable[tuple[bytes, bytes]]) -> str:
        """Return the media type of the body, if the headers promise one that can be read."""
        content_type = ""
        for name, value in headers:
            if name == b"content-type":
                content_type = value.decode("latin-1")
            elif name == b"content-length":
                if not value.isdigit():
                    raise MalformedError(f"content-length is {value.decode('latin-1')!r}: expected a number")
                self._check_size(int(value))
            elif name == b"content-encoding" and value != b"identity":
                raise UnsupportedError(f"content encoding {value.decode('latin-1')!r}: expected none")
        return content_type

    def _check_size(self, size_bytes: int) -> None:
        limit = self._limits.max_body_bytes
        if size_bytes > limit:
            raise TooLargeError(
                f"the body has {size_bytes} bytes, but at most {limit} are taken; send fewer rows at once"
            )

    async def _read(self, receive: Receive) -> bytes:
        """Return the whole body, within the limits."""
        try:
            async with asyncio.timeout(self._limits.body_timeout_s):
                message = await self._next(receive)
                body: bytes = message.get("body", b"")
                parts, size_bytes = [body], len(body)
                while message.get("more_body"):
                    self._check_size(size_bytes)
                    message = await self._next(receive)
                    parts.append(message.get("body", b""))
                    size_bytes += len(parts[-1])
        except TimeoutError:
            raise DeadlineError(f"the body did not come within {self._limits.body_timeout_s:g} s") from None
        self._check_size(size_bytes)
        return body if len(parts) == 1 else b"".join(parts)

    async def _next(self, receive: Receive) -> Message:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGoneError
        return message

    async def _models(self, scope: Scope, receive: Receive) -> Reply:
        del receive
        return json_reply(self._catalog.models()) if _reads(scope) else _wrong_method(scope, "GET, HEAD")

    async def _model(self, scope: Scope, receive: Receive) -> Reply:
        del receive
        if not _reads(scope):
            return _wrong_method(scope, "GET, HEAD")
        return json_reply(self._catalog.model(unquote(scope["path"][len(self._under_models) :])))

    async def _no_such_model(self, scope: Scope, receive: Receive) -> Reply:
        del receive
        raise ModelNotFoundError(unquote(scope["path"][len(self._under_predict) :]), self._predictors)

    async def _readyz(self, scope: Scope, receive: Receive) -> Reply:
        del scope, receive
        failed = {
            name: each.runner.failure for name, each in self._predictors.items() if not each.runner.is_ready
        }
        if failed:
            return problem(NotReadyError("; ".join(f"model {name!r}: {why}" for name, why in failed.items())))
        return json_reply({"ready": True})

    async def _live(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Start the runners before BentoML's own start, and close them before its end."""
        publisher: asyncio.Task[None] | None = None

        async def receive_between() -> Message:
            nonlocal publisher
            message = await receive()
            if message["type"] == "lifespan.startup":
                bound_stop(self._limits.shutdown_grace_s, is_serving=lambda: publisher is not None)
                for predict in self._predictors.values():
                    await predict.runner.start()
                publisher = asyncio.create_task(self._publish())
            elif message["type"] == "lifespan.shutdown":
                grace_s = self._limits.shutdown_grace_s
                await asyncio.gather(*(each.runner.close(grace_s) for each in self._predictors.values()))
                if publisher is not None:
                    publisher.cancel()
            return message

        await self._app(scope, receive_between, send)

    async def _publish(self) -> None:
        while True:
            for metrics in self._metrics:
                metrics.publish()
            await asyncio.sleep(PUBLISH_EVERY_S)


async def _unless_gone(work: Awaitable[Reply], receive: Receive) -> Reply:
    """Return what `work` gives; if the caller goes away meanwhile, stop working for him."""
    answering = asyncio.ensure_future(work)
    leaving = asyncio.ensure_future(receive())
    try:
        await asyncio.wait((answering, leaving), return_when=asyncio.FIRST_COMPLETED)
        if answering.done():
            return answering.result()
        raise ClientGoneError
    finally:
        for task in (answering, leaving):
            if not task.done():
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task


def _reads(scope: Scope) -> bool:
    return scope["method"] in ("GET", "HEAD")


def _wrong_method(scope: Scope, allowed: str) -> Reply:
    error = UnsupportedError(f"{scope['method']} {scope['path']}: expected {allowed}")
    return problem(error, status=HTTPStatus.METHOD_NOT_ALLOWED, headers=((b"allow", allowed.encode()),))


def _asked_fields(query: bytes) -> str | None:
    if not query:
        return None
    return ",".join(parse_qs(query.decode("latin-1"), keep_blank_values=True).get("fields", [])) or None
