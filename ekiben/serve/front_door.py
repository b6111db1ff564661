"""The front door: an ASGI app that stands before BentoML's and answers the routes of Ekiben itself.

What BentoML's app knows falls through: docs, livez, metrics, your own `@bentoml.api` methods. An address that neither knows
is answered here, with the nearest one.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from http import HTTPStatus
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import parse_qs

from ekiben.errors import (
    AddressNotFoundError,
    DeadlineError,
    InputError,
    MalformedError,
    ModelNotFoundError,
    NotReadyError,
    Problem,
    RequestError,
    TooLargeError,
    UnsupportedError,
    nearest,
    quote,
)
from ekiben.serve.problem import problem
from ekiben.serve.reply import Reply, json_reply

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping

    from ekiben.serve.catalog import Catalog
    from ekiben.serve.limits import Limits
    from ekiben.serve.predict import Predict
    from ekiben.serve.reply import ASGIApp, Message, Receive, Scope, Send

    Answerer: TypeAlias = Callable[[Scope, Receive], Awaitable[Reply]]


GONE = 499
"""The status under which a request is counted whose caller left before the answer was there."""

ADDRESSES = ("/", "/docs.json", "/livez", "/metrics", "/schema.json")
"""What BentoML answers, for the nearest name."""


class ClientGoneError(Exception):
    """The caller closed the connection before the answer was there."""


class FrontDoor:
    """Answers prediction and catalogue routes, and hands everything else to `app`.

    Args:
        app: BentoML's app.
        predictors: One for each model, by name, the default first.
        catalog: What `/models` tells.
        limits: What one request may bring.
        prefix: The path that all routes begin with, such as `/v1`; usually empty.
        taken: Routes that the service answers by methods of its own.
        is_known: Whether `app` knows an address; for any other the nearest one is told.
    """

    def __init__(
        self,
        app: ASGIApp,
        predictors: Mapping[str, Predict],
        catalog: Catalog,
        limits: Limits,
        *,
        prefix: str = "",
        taken: Collection[str] = (),
        is_known: Callable[[Scope], bool] = lambda _: True,
    ) -> None:
        self._app = app
        self._predictors = dict(predictors)
        self._catalog = catalog
        self._limits = limits
        self._is_known = is_known
        self._taken = frozenset(taken)
        self._under_predict = f"{prefix}/predict/"
        self._under_models = f"{prefix}/models/"
        self._routes: dict[str, Answerer] = {
            f"{prefix}/models": self._models,
            f"{prefix}/readyz": self._readyz,
        }
        for name, predict in self._predictors.items():
            self._routes[f"{self._under_predict}{name}"] = self._posted(predict)
        if self._predictors:
            self._routes[f"{prefix}/predict"] = self._posted(next(iter(self._predictors.values())))
        for route in taken:
            self._routes.pop(route, None)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or hand on, what ASGI brings."""
        answer = self._find(scope) if scope["type"] == "http" else None
        if answer is None:
            return await self._app(scope, receive, send)
        try:
            reply = await answer(scope, receive)
        except ClientGoneError:
            return None
        except Exception as error:  # noqa: BLE001 - every failure is told as a problem
            reply = problem(error)
        try:
            return await reply.send(send)
        except RuntimeError as error:
            if "closed" not in str(error):
                raise
            return None  # the caller has gone; there is nobody to tell

    def _find(self, scope: Scope) -> Answerer | None:
        """Return what answers an address; None if that is not for the front door to say."""
        path: str = scope["path"]
        answer = self._routes.get(path) or self._routes.get(path.rstrip("/"))
        if answer is not None or self._is_taken(path):
            return answer
        if path.startswith(self._under_predict):
            return self._no_such_model
        if path.startswith(self._under_models):
            return self._model
        return None if self._is_known(scope) else self._no_such_address

    def _is_taken(self, path: str) -> bool:
        return path in self._taken

    def _posted(self, predict: Predict) -> Answerer:
        """Return what answers a prediction route."""

        async def answer(scope: Scope, receive: Receive) -> Reply:
            if scope["method"] != "POST":
                return _wrong_method(scope, "POST")
            started_s = time.perf_counter()
            status = GONE
            try:
                reply = await self._predict(predict, scope, receive)
                status = reply.status
                return reply
            finally:
                predict.metrics.observe(status, time.perf_counter() - started_s)

        return answer

    async def _predict(self, predict: Predict, scope: Scope, receive: Receive) -> Reply:
        try:
            content_type = self._check_headers(scope["headers"])
            fields = _asked_fields(scope["query_string"])
            body = await self._read(receive)
        except RequestError as error:
            return predict.refuse(error)
        except DeadlineError as error:
            return predict.refuse(error, status=HTTPStatus.REQUEST_TIMEOUT)
        work = predict(body, content_type=content_type, fields=fields)
        if predict.runner.answers_at_once:
            return await work
        return await _unless_gone(work, receive)

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
            elif name == b"content-encoding" and value.lower() != b"identity":
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
        return json_reply(self._catalog.model(scope["path"][len(self._under_models) :].rstrip("/")))

    async def _no_such_model(self, scope: Scope, receive: Receive) -> Reply:
        del receive
        raise ModelNotFoundError(scope["path"][len(self._under_predict) :].rstrip("/"), self._predictors)

    async def _readyz(self, scope: Scope, receive: Receive) -> Reply:
        del scope, receive
        failed = {
            name: each.runner.failure for name, each in self._predictors.items() if not each.runner.is_ready
        }
        if failed:
            return problem(NotReadyError("; ".join(f"model {name!r}: {why}" for name, why in failed.items())))
        return json_reply({"ready": True})

    async def _no_such_address(self, scope: Scope, receive: Receive) -> Reply:
        del receive
        raise AddressNotFoundError(scope["path"], [*self._routes, *ADDRESSES])


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
    """Return what `?fields=` asks for; a misspelt one is refused, what is not ours is left alone.

    Raises:
        InputError: A parameter is nearly, but not quite, `fields`.
    """
    if not query:
        return None
    asked = parse_qs(query.decode("latin-1"), keep_blank_values=True)
    for name in asked:
        if name != "fields" and nearest(name, ["fields"]):
            raise InputError(
                [Problem(f"unknown parameter {quote(name)}; did you mean 'fields'?", nearest="fields")]
            )
    return ",".join(asked.get("fields", [])) or None
