"""Adhoc: a service of any models of the store, without a `service.py`.

`ekiben serve NAME...` has BentoML load `ekiben.serve.adhoc:Models`; the models are named in the environment, because a
worker is a process of its own that imports this module again.
"""

from __future__ import annotations

import os

import bentoml

from ekiben.errors import EkibenError
from ekiben.runner import Runner
from ekiben.serve.service import Service

MODELS_VARIABLE = "EKIBEN_SERVE_MODELS"
"""The models to serve, separated by commas, the default first."""

WORKERS_VARIABLE = "EKIBEN_SERVE_WORKERS"
"""How many workers; by default one for each core."""


def make_service(tags: list[str], workers: int | str = "cpu_count") -> Service[object]:
    """Return a service of these models.

    Args:
        tags: `name`, `name:version` or `name:alias` of each, the default first.
        workers: How many processes, or `cpu_count`.

    Raises:
        ModelNotFoundError: A model is not in the store.
    """
    runners = {f"model_{position}": Runner(tag) for position, tag in enumerate(tags)}
    inner = type("Models", (), {"__doc__": f"Serves {', '.join(tags)}.", "__module__": __name__, **runners})
    made: Service[object] = bentoml.service(service_class=Service, workers=workers)(inner)
    return made


def _from_environment() -> Service[object]:
    tags = [tag.strip() for tag in os.environ.get(MODELS_VARIABLE, "").split(",") if tag.strip()]
    if not tags:
        raise EkibenError(f"{MODELS_VARIABLE} names no model; use `ekiben serve NAME...`")
    workers = os.environ.get(WORKERS_VARIABLE, "cpu_count")
    return make_service(tags, int(workers) if workers.isdigit() else workers)


def __getattr__(name: str) -> object:
    if name != "Models":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()["Models"] = service = _from_environment()
    return service
