"""Local: a model of the store, ready to answer in this process as the server would."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ekiben import threads

if TYPE_CHECKING:
    from ekiben.artifact import Model
    from ekiben.engine import Engine
    from ekiben.policy import Policy


class LocalModel(NamedTuple):
    """A loaded model with what decides its answers."""

    model: Model
    policy: Policy
    engine: Engine


def load(tag: str) -> LocalModel:
    """Verify and load a model of the store; it answers with one thread for each call, always in the same way.

    Args:
        tag: `name`, `name:version` or `name:alias`.

    Raises:
        ModelNotFoundError: The store has no such model.
        ArtifactError: It is not what was saved.
        PolicyError: `models/NAME.toml` says something that cannot be.
    """
    threads.claim(1)  # before the libraries are loaded that read it
    from ekiben import policy, store  # noqa: PLC0415 - BentoML takes a second to import
    from ekiben.engine import NativeEngine  # noqa: PLC0415 - as above

    here = str(Path.cwd())
    if here not in sys.path:  # as a server has it: the project's own modules, that the model may need
        sys.path.insert(0, here)
    model = store.load(tag)
    threads.limit(model.estimator, 1)
    decided = policy.load(model.name)
    return LocalModel(model, decided, NativeEngine(model, threshold=decided.threshold))
