"""API: every prediction route as a typed BentoML API too, for `/docs.json`, `/schema.json` and BentoML's own client."""

from __future__ import annotations

import functools
import inspect
import re
import time
from typing import TYPE_CHECKING, Any, ClassVar

import bentoml
import msgspec
import pydantic
from starlette.responses import Response

from ekiben.errors import EkibenError
from ekiben.serve.problem import problem

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ekiben.runner import Runner
    from ekiben.serve.predict import Predict


class _Body(pydantic.BaseModel):
    """The body of a request as it came. It is decoded in one place, whichever path it takes."""

    __root_input__: ClassVar[bool] = (
        True  # so that BentoML's client takes a record, or a list, as its one argument
    )
    described: ClassVar[dict[str, Any]] = {}
    content: bytes

    def __init__(self, records: list[dict[str, Any]] | None = None, /, **record: Any) -> None:
        super().__init__(content=msgspec.json.encode(record if records is None else records))

    @classmethod
    def model_validate_json(cls, json_data: str | bytes | bytearray, **_: Any) -> _Body:
        content = json_data.encode() if isinstance(json_data, str) else bytes(json_data)
        return cls.model_construct(content=content)

    @classmethod
    def model_json_schema(cls, *_: Any, **__: Any) -> dict[str, Any]:
        return dict(cls.described)

    def model_dump_json(self, **_: Any) -> str:
        return self.content.decode()


class _Answer(pydantic.BaseModel):
    """The answer as it goes out; only its description is used."""

    described: ClassVar[dict[str, Any]] = {}

    @classmethod
    def model_json_schema(cls, *_: Any, **__: Any) -> dict[str, Any]:
        return dict(cls.described)


def method_name(model: str) -> str:
    """Return the name under which BentoML's client calls a model.

    >>> method_name("credit-risk.v2")
    'predict_credit_risk_v2'
    """
    return "predict_" + re.sub(r"\W", "_", model)


def typed_api(runner: Runner, predict: Callable[[], Predict], *, name: str, route: str) -> Any:
    """Return a BentoML API method that answers like the front door.

    Args:
        runner: The model; its signature types the method.
        predict: Gives what answers, once the service runs.
        name: The name of the method.
        route: Its path.
    """

    async def method(self: object, body: Any, /, *, ctx: bentoml.Context) -> Response:
        del self
        request = ctx.request
        content = b"" if request.headers.get("content-length") == "0" else body.content
        started_s = time.perf_counter()
        reply = await predict()(
            content,
            content_type=request.headers.get("content-type", ""),
            fields=request.query_params.get("fields"),
        )
        predict().metrics.observe(reply.status, time.perf_counter() - started_s)
        ctx.response.status_code = reply.status
        headers = {key.decode(): value.decode() for key, value in reply.headers}
        return Response(reply.body, status_code=reply.status, headers=headers)

    signature = runner.signature
    method.__name__ = method.__qualname__ = name
    method.ekiben_model = runner.name  # type: ignore[attr-defined]  # tells it from a method of the service itself
    method.__doc__ = f"Predict with {runner.name}: one record in, one answer out."
    title = re.sub(r"\W", " ", runner.name).title().replace(" ", "")
    record = {**signature.json_schema(), "title": f"{title}Record"}
    answer = {**signature.answer_schema(), "title": f"{title}Answer"}
    return bentoml.api(
        method,
        route=route,
        input_spec=_described(_Body, one_or_many(record), f"{title}Record"),
        output_spec=_described(_Answer, one_or_many(answer), f"{title}Answer"),
    )


def is_generated(api: Any) -> bool:
    """Return whether `typed_api` made this method."""
    return hasattr(getattr(api, "func", None), "ekiben_model")


def own_apis(service: type[Any]) -> list[Any]:
    """Return the API methods that the author of a service class wrote."""
    found = (getattr(service, name, None) for name in dir(service))
    return [
        each
        for each in found
        if all(hasattr(each, part) for part in ("func", "route", "input_spec")) and not is_generated(each)
    ]


def tell_problems(api: Any) -> None:
    """Let a method of the service itself tell Ekiben's errors as problems, as the front door does."""
    function = api.func
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        return  # a stream has begun when it fails

    def told(error: EkibenError, arguments: Mapping[str, Any]) -> Response:
        reply = problem(error)
        context = arguments.get(api.ctx_param) if api.ctx_param else None
        if context is not None:
            context.response.status_code = reply.status  # BentoML takes the status from there
        headers = {key.decode(): value.decode() for key, value in reply.headers}
        return Response(reply.body, status_code=reply.status, headers=headers)

    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def wrapped(*values: Any, **arguments: Any) -> Any:
            try:
                return await function(*values, **arguments)
            except EkibenError as error:
                return told(error, arguments)
    else:

        @functools.wraps(function)
        def wrapped(*values: Any, **arguments: Any) -> Any:
            try:
                return function(*values, **arguments)
            except EkibenError as error:
                return told(error, arguments)

    wrapped.tells_problems = True  # type: ignore[attr-defined]  # once is enough
    api.func = wrapped


def one_or_many(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of one such value, or of a list of them."""
    return {"anyOf": [schema, {"type": "array", "items": schema}]}


def _described(base: type[pydantic.BaseModel], schema: dict[str, Any], name: str) -> type[Any]:
    return type(name, (base,), {"described": schema, "__module__": __name__, "__annotations__": {}})
