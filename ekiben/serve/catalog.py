"""Catalog: what `/models` tells about the models of a service."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from ekiben.errors import ModelNotFoundError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ekiben.runner import Runner


class Catalog:
    """Describes the models of a service.

    Args:
        runners: The models by name, the default first.
    """

    def __init__(self, runners: Mapping[str, Runner]) -> None:
        self._runners = dict(runners)

    def models(self) -> dict[str, Any]:
        """Return a short entry for each model."""
        return {"models": [_entry(runner) for runner in self._runners.values()]}

    def model(self, name: str) -> dict[str, Any]:
        """Return all that a caller needs to know about one model.

        Raises:
            ModelNotFoundError: The service has no model of that name.
        """
        runner = self._runners.get(name)
        if runner is None:
            raise ModelNotFoundError(name, self._runners)
        return {
            **_entry(runner),
            "signature": msgspec.Raw(runner.signature.to_json()),
            "schema": runner.signature.json_schema(),
            "answer_schema": runner.signature.answer_schema(),
            "example": runner.signature.example,
            "card": runner.description.card,
            "policy": runner.policy,
        }


def _entry(runner: Runner) -> dict[str, Any]:
    description = runner.description
    return {
        "name": runner.name,
        "version": runner.version,
        "kind": runner.signature.output.kind,
        "purpose": runner.policy.purpose,
        "domain": runner.policy.domain,
        "created": description.created,
        "metrics": description.metrics,
        "ready": runner.is_ready,
        "not_ready_because": runner.failure,
    }
