"""Ekiben: train a model, save it with its signature, serve it behind one front door, score in bulk, ship it.

Names are imported when they are first used, so that `import ekiben` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ekiben.artifact import Model
    from ekiben.client import Answer, AsyncClient, Client
    from ekiben.errors import EkibenError
    from ekiben.policy import Policy
    from ekiben.runner import Runner
    from ekiben.serve import Service
    from ekiben.signature import Column, Output, Signature
    from ekiben.store import load, models, save

__version__ = "0.1.0"

_HOMES = {
    "Answer": "ekiben.client",
    "AsyncClient": "ekiben.client",
    "Client": "ekiben.client",
    "Column": "ekiben.signature",
    "EkibenError": "ekiben.errors",
    "Model": "ekiben.artifact",
    "Output": "ekiben.signature",
    "Policy": "ekiben.policy",
    "Runner": "ekiben.runner",
    "Service": "ekiben.serve",
    "Signature": "ekiben.signature",
    "load": "ekiben.store",
    "models": "ekiben.store",
    "save": "ekiben.store",
}

__all__ = [
    "Answer",
    "AsyncClient",
    "Client",
    "Column",
    "EkibenError",
    "Model",
    "Output",
    "Policy",
    "Runner",
    "Service",
    "Signature",
    "load",
    "models",
    "save",
]


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'ekiben' has no attribute {name!r}")
    found: object = getattr(import_module(home), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
