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
from starlette.middleware import Middleware
from starlette.routing import Match

from ekiben import threads
from ekiben.runner import Runner
from ekiben.serve.api import is_generated, method_name, own_apis, tell_problems, typed_api
from ekiben.serve.catalog import Catalog
from ekiben.serve.front_door import FrontDoor
from ekiben.serve.life import Life
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
        self._predictors: dict[str, Predict] = {}
        self._model_apis: set[str] = set()
        self._warn_of_limits()
        share = threads.share(self.config.get("workers"))
        threads.claim(share)
        own = own_apis(self.inner)
        self._own_routes = {api.route for api in own}
        for api in own:
            if not hasattr(api.func, "tells_problems"):
                tell_problems(api)
        for position, (name, runner) in enumerate(self.runners.items()):
            runner.threads = share
            if position == 0:
                self._add_api(name, runner, method="predict", route="/predict")
            self._add_api(name, runner, method=method_name(name), route=f"/predict/{name}")
        self.inner.ekiben_on_deployment = bentoml.on_deployment(_replace_dead_workers)
        super().__attrs_post_init__()
        self.models.extend(BentoModel(runner.tag) for runner in self.runners.values())

    def _add_api(self, name: str, runner: Runner, *, method: str, route: str) -> None:
        if method in self._model_apis:
            raise bentoml.exceptions.BentoMLConfigException(
                f"{self.inner.__name__}: two models would both be called by {method!r}; rename one of them"
            )
        there = getattr(self.inner, method, None)
        if isinstance(there, Runner):
            raise bentoml.exceptions.BentoMLConfigException(
                f"{self.inner.__name__}.{method}: a runner of this name would hide the API; call it otherwise"
            )
        if route in self._own_routes or (there is not None and not is_generated(there)):
            return  # the service's own method comes first
        setattr(
            self.inner, method, typed_api(runner, lambda: self._predictors[name], name=method, route=route)
        )
        self._model_apis.add(method)

    def _warn_of_limits(self) -> None:
        traffic = self.config.get("traffic", {})
        ignored = sorted({"max_concurrency", "timeout"} & {key for key, value in traffic.items() if value})
        if ignored:
            _log.warning(
                "traffic %s of BentoML does not bound predictions; set timeout_s and max_queue_rows of the runners",
                " and ".join(ignored),
            )

    def to_asgi(self, is_main: bool = True) -> ASGIApp:  # noqa: FBT001, FBT002 - BentoML's own signature
        """Return the app that a worker runs."""
        app = super().to_asgi(is_main)
        logging.getLogger("ekiben").setLevel(logging.INFO)  # BentoML has set up the handlers
        limits = Limits.from_environment()
        metrics = {name: ModelMetrics(runner) for name, runner in self.runners.items()}
        self._predictors = {
            name: Predict(runner, limits, metrics[name]) for name, runner in self.runners.items()
        }
        return Life(self.open_door(app, limits), [*self.runners.values()], [*metrics.values()], limits)

    def open_door(self, app: Any, limits: Limits) -> ASGIApp:
        """Return `app` with the front door before it.

        Where the user put something before BentoML's app that must not be gone around (middleware, CORS), the door stands
        behind that.

        Args:
            app: BentoML's Starlette app.
            limits: What one request may bring.
        """
        prefix = (self.path_prefix or "").rstrip("/")
        settings: dict[str, Any] = {
            "predictors": self._predictors,
            "catalog": Catalog(self.runners),
            "limits": limits,
            "prefix": prefix,
            "taken": {f"{prefix}{route}" for route in self._own_routes},
            "is_known": lambda scope: any(route.matches(scope)[0] is not Match.NONE for route in app.routes),
        }
        cors = self.config.get("http", {}).get("cors", {})
        if self.middlewares or cors.get("enabled"):
            app.user_middleware.append(Middleware(FrontDoor, **settings))
            opened: ASGIApp = app
            return opened
        return FrontDoor(app, **settings)

    @property
    def openapi_spec(self) -> Any:
        """The OpenAPI document: BentoML's for the service's own methods, ours for the models."""
        others = copy.copy(self)
        others.apis = {name: api for name, api in self.apis.items() if name not in self._model_apis}
        default = next(iter(self.runners), None) if "predict" in self._model_apis else None
        return with_models(
            BentoService.openapi_spec.fget(others).asdict(), self.runners, default, self.inner.__doc__ or ""
        )


def _replace_dead_workers() -> None:
    """Let a worker that dies be replaced in a container, too, where BentoML would go on with fewer and tell nobody."""
    os.environ.pop("BENTOML_CONTAINERIZED", None)


def _declared(inner: type[Any]) -> dict[str, Runner]:
    """Return the runners of a service class by model name, in the order of their declaration, those of its bases first."""
    attributes = dict.fromkeys(attribute for kind in reversed(inner.__mro__) for attribute in vars(kind))
    found: dict[str, Runner] = {}
    for attribute in attributes:
        value = getattr(inner, attribute, None)
        if not isinstance(value, Runner):
            continue
        if value.name in found and found[value.name] is not value:
            raise bentoml.exceptions.BentoMLConfigException(
                f"{inner.__name__}.{attribute}: model {value.name!r} has a runner already; one model, one runner"
            )
        found[value.name] = value
    return found
