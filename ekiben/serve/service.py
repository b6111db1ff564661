"""Service: BentoML's service, with the front door before it."""

from __future__ import annotations

import copy
import logging
import os
from typing import TYPE_CHECKING, Any, TypeVar

import bentoml
from _bentoml_sdk import (
    Service as BentoService,  # the public `bentoml.service` takes it, but does not export it
)
from bentoml.models import BentoModel

from ekiben import threads
from ekiben.runner import Runner
from ekiben.serve.api import method_name, typed_api
from ekiben.serve.catalog import Catalog
from ekiben.serve.front_door import FrontDoor
from ekiben.serve.limits import Limits
from ekiben.serve.metrics import ModelMetrics
from ekiben.serve.openapi import with_models
from ekiben.serve.predict import Predict

if TYPE_CHECKING:
    from ekiben.serve.reply import ASGIApp

T = TypeVar("T")

_log = logging.getLogger("ekiben.serve")


class Service(BentoService[T]):  # type: ignore[misc]  # BentoML's SDK ships no types
    """A BentoML service whose runners are answered by the front door.

    Pass it to BentoML's decorator and declare runners as attributes; the first one answers `/predict`, each answers
    `/predict/NAME`.

    Example:
        ```python
        @bentoml.service(service_class=ekiben.Service, workers="cpu_count")
        class Predictor:
            credit = ekiben.Runner("credit", max_batch_rows=512, max_latency_ms=20)
        ```
    """

    def __attrs_post_init__(self) -> None:
        self.runners = _declared(self.inner)
        for runner in self.runners.values():
            runner.threads = threads.share(self.config.get("workers"))
            threads.claim(runner.threads)
        self._predictors: dict[str, Predict] = {}
        self._has_own_predict = hasattr(self.inner, "predict")
        self._model_apis: set[str] = set()
        for position, (name, runner) in enumerate(self.runners.items()):
            if position == 0 and not self._has_own_predict:
                self._add_api(name, runner, method="predict", route="/predict")
            self._add_api(name, runner, method=method_name(name), route=f"/predict/{name}")
        self.inner.ekiben_on_deployment = bentoml.on_deployment(_replace_dead_workers)
        super().__attrs_post_init__()
        self.models.extend(BentoModel(runner.tag) for runner in self.runners.values())

    def _add_api(self, name: str, runner: Runner, *, method: str, route: str) -> None:
        if hasattr(self.inner, method):
            return  # the service's own method comes first
        api = typed_api(runner, lambda: self._predictors[name], name=method, route=route)
        setattr(self.inner, method, api)
        self._model_apis.add(method)

    def to_asgi(self, is_main: bool = True) -> ASGIApp:  # noqa: FBT001, FBT002 - BentoML's own signature
        """Return the app that a worker runs."""
        app = super().to_asgi(is_main)
        logging.getLogger("ekiben").setLevel(logging.INFO)  # BentoML has set up the handlers
        limits = Limits.from_environment()
        metrics = {name: ModelMetrics(runner) for name, runner in self.runners.items()}
        self._predictors = {
            name: Predict(runner, limits, metrics[name]) for name, runner in self.runners.items()
        }
        if self._has_own_rules():
            _log.warning("middleware or CORS is set: predictions go through BentoML's app, which is slower")
        return FrontDoor(
            app,
            self._predictors,
            Catalog(self.runners),
            tuple(metrics.values()),
            limits,
            prefix=(self.path_prefix or "").rstrip("/"),
            default_route=not self._has_own_predict,
            predicts=not self._has_own_rules(),
        )

    def _has_own_rules(self) -> bool:
        """Whether the user put something before BentoML's app that the front door must not go around."""
        cors = self.config.get("http", {}).get("cors", {})
        return bool(self.middlewares or cors.get("enabled"))

    @property
    def openapi_spec(self) -> Any:
        """The OpenAPI document: BentoML's for the service's own methods, ours for the models."""
        others = copy.copy(self)
        others.apis = {name: api for name, api in self.apis.items() if name not in self._model_apis}
        default = None if self._has_own_predict else next(iter(self.runners), None)
        return with_models(
            BentoService.openapi_spec.fget(others).asdict(), self.runners, default, self.inner.__doc__ or ""
        )


def _replace_dead_workers() -> None:
    """Let a worker that dies be replaced in a container, too, where BentoML would go on with fewer and tell nobody."""
    os.environ.pop("BENTOML_CONTAINERIZED", None)


def _declared(inner: type[Any]) -> dict[str, Runner]:
    """Return the runners of a service class by model name, in the order of their declaration."""
    found: dict[str, Runner] = {}
    for kind in reversed(inner.__mro__):
        for attribute, value in vars(kind).items():
            if not isinstance(value, Runner):
                continue
            if value.name in found and found[value.name] is not value:
                raise bentoml.exceptions.BentoMLConfigException(
                    f"{inner.__name__}.{attribute}: model {value.name!r} has a runner already; one model, one runner"
                )
            found[value.name] = value
    return found
