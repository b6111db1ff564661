"""OpenAPI: the document of `/docs.json`: BentoML's part, and each model with its typed input, answer and example."""

from __future__ import annotations

import inspect
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from ekiben.serve.api import one_or_many

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ekiben.runner import Runner

VERSION = "3.1.0"
"""The version whose schemas are JSON Schema 2020-12, with `["number", "null"]` for what may be missing."""

TAG = "Models"

PROBLEM = {
    "type": "object",
    "title": "Problem",
    "description": "What went wrong, as RFC 9457 has it.",
    "properties": {
        "type": {"type": "string", "examples": ["urn:ekiben:problem:invalid-input"]},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "problems_total": {"type": "integer", "description": "How many problems there are in all."},
        "problems": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "message": {"type": "string"},
                    "row": {"type": "integer", "description": "Counted from 0."},
                    "column": {"type": "string"},
                    "given": {"type": "string"},
                    "expected": {"type": "string"},
                    "nearest": {"type": "string"},
                },
                "required": ["message"],
            },
        },
    },
    "required": ["type", "title", "status", "detail"],
}

REFUSALS = {
    HTTPStatus.BAD_REQUEST: "The body is not JSON.",
    HTTPStatus.NOT_FOUND: "No such model.",
    HTTPStatus.REQUEST_TIMEOUT: "The body did not come in time.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "Too many bytes or rows.",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "The body is not application/json.",
    HTTPStatus.UNPROCESSABLE_ENTITY: "Rows do not fit the signature; every problem is listed.",
    HTTPStatus.INTERNAL_SERVER_ERROR: "The model failed.",
    HTTPStatus.SERVICE_UNAVAILABLE: "Overloaded, or the model is not ready; see Retry-After.",
    HTTPStatus.GATEWAY_TIMEOUT: "No answer in time.",
}


class Document(dict[str, Any]):
    """An OpenAPI document; BentoML asks for `asdict`."""

    def asdict(self) -> dict[str, Any]:
        """Return the document as a plain dict."""
        return dict(self)


def with_models(
    base: Mapping[str, Any], runners: Mapping[str, Runner], default: str | None, description: str = ""
) -> Document:
    """Return `base` with the routes and schemas of the models, which come first.

    Args:
        base: The document of everything else.
        runners: The models by name.
        default: The model that `/predict` asks, if there is one.
        description: What the service is, for people.
    """
    schemas = dict(base.get("components", {}).get("schemas", {}))
    schemas["Problem"] = PROBLEM
    paths: dict[str, Any] = {}
    if default is not None:
        paths["/predict"] = {"post": _operation(runners[default], "predict")}
    for name, runner in runners.items():
        schemas[f"{name}.record"] = runner.signature.json_schema()
        schemas[f"{name}.answer"] = runner.signature.answer_schema()
        paths[f"/predict/{name}"] = {"post": _operation(runner, f"predict_{name}")}
    paths.update(_catalogue(runners))
    paths.update(base.get("paths", {}))
    used = {
        tag for path in paths.values() for operation in path.values() for tag in operation.get("tags", ())
    }
    tags = [
        {"name": TAG, "description": "What a model takes and answers is typed; each has an example to send."}
    ]
    version = base.get("info", {}).get("version", "None")
    info = {
        "title": base.get("info", {}).get("title", "Models"),
        "version": "dev"
        if version == "None"
        else version,  # so BentoML calls a service that is not built yet
        "description": inspect.cleandoc(description),
    }
    return Document(
        {
            **base,
            "openapi": VERSION,
            "info": info,
            "tags": [*tags, *(tag for tag in base.get("tags", ()) if tag["name"] in used)],
            "paths": paths,
            "components": {**base.get("components", {}), "schemas": schemas},
        }
    )


def _operation(runner: Runner, operation_id: str) -> dict[str, Any]:
    name, signature = runner.name, runner.signature
    record, answer = ({"$ref": f"#/components/schemas/{name}.{part}"} for part in ("record", "answer"))
    examples = {
        "one": {"summary": "A typical row", "value": signature.example},
        "many": {"summary": "A list gives a list", "value": [signature.example, signature.example]},
    }
    return {
        "tags": [TAG],
        "operationId": operation_id,
        "summary": runner.policy.purpose or f"Predict with {name}",
        "description": f"One record gives one answer of `{runner.tag}`, a list gives a list.",
        "parameters": [_fields_parameter(signature.output.available)],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": one_or_many(record), "examples": examples}},
        },
        "responses": {
            "200": {
                "description": "The answer, or a list of them in the order of the records.",
                "headers": {
                    "X-Prediction-Id": {
                        "description": "Names this prediction; row k of a list is `<id>-k`.",
                        "schema": {"type": "string"},
                    },
                    "X-Model": {
                        "description": "Which model answered: name:version.",
                        "schema": {"type": "string"},
                    },
                },
                "content": {"application/json": {"schema": one_or_many(answer)}},
            },
            **_refusals(REFUSALS),
        },
    }


def _fields_parameter(available: Iterable[str]) -> dict[str, Any]:
    return {
        "name": "fields",
        "in": "query",
        "required": False,
        "description": f"What an answer holds, separated by commas; this model has: {', '.join(available)}.",
        "schema": {"type": "string"},
    }


def _refusals(statuses: Iterable[HTTPStatus]) -> dict[str, Any]:
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {str(int(status)): {"description": REFUSALS[status], "content": content} for status in statuses}


def _catalogue(runners: Mapping[str, Runner]) -> dict[str, Any]:
    anything = {"application/json": {"schema": {"type": "object"}}}
    name = {
        "name": "model",
        "in": "path",
        "required": True,
        "schema": {"type": "string", "enum": list(runners)},
    }
    return {
        "/models": {
            "get": {
                "tags": [TAG],
                "operationId": "list_models",
                "summary": "Which models this service has",
                "responses": {"200": {"description": "The models.", "content": anything}},
            }
        },
        "/models/{model}": {
            "get": {
                "tags": [TAG],
                "operationId": "describe_model",
                "summary": "Signature, example, metrics and card of a model",
                "parameters": [name],
                "responses": {
                    "200": {"description": "The model.", "content": anything},
                    **_refusals([HTTPStatus.NOT_FOUND]),
                },
            }
        },
    }
