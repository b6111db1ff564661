"""Life: models are loaded before a worker takes requests, and let go when it stops."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from ekiben.serve.metrics import bury_the_dead
from ekiben.serve.stopping import bound_stop

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ekiben.runner import Runner
    from ekiben.serve.limits import Limits
    from ekiben.serve.metrics import ModelMetrics
    from ekiben.serve.reply import ASGIApp, Message, Receive, Scope, Send

PUBLISH_EVERY_S = 2.0
"""How often a worker tells Prometheus what its batchers count, in seconds."""

_log = logging.getLogger("ekiben.serve")


class Life:
    """An ASGI app that starts the runners before `app` and closes them after it has answered its last request.

    Args:
        app: What answers requests.
        runners: The models.
        metrics: What is published for each of them.
        limits: How long requests in flight get at the end.
    """

    def __init__(
        self, app: ASGIApp, runners: Sequence[Runner], metrics: Sequence[ModelMetrics], limits: Limits
    ) -> None:
        self._app = app
        self._runners = tuple(runners)
        self._metrics = tuple(metrics)
        self._limits = limits
        self._publisher: asyncio.Task[None] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand everything on; a start and an end are looked at first."""
        if scope["type"] != "lifespan":
            return await self._app(scope, receive, send)

        async def receive_between() -> Message:
            message = await receive()
            if message["type"] == "lifespan.startup":
                await self._start()
            elif message["type"] == "lifespan.shutdown":
                await self._stop()
            return message

        return await self._app(scope, receive_between, send)

    async def _start(self) -> None:
        bound_stop(self._limits.shutdown_grace_s, is_serving=lambda: self._publisher is not None)
        bury_the_dead()
        for runner in self._runners:
            await runner.start()
        self._publisher = asyncio.create_task(self._publish())

    async def _stop(self) -> None:
        await asyncio.gather(*(runner.close(self._limits.shutdown_grace_s) for runner in self._runners))
        if self._publisher is not None:
            self._publisher.cancel()

    async def _publish(self) -> None:
        while True:
            try:
                for metrics in self._metrics:
                    metrics.publish()
            except Exception:  # noqa: BLE001 - the next time it may go well again
                _log.exception("metrics could not be published; trying again in %g s", PUBLISH_EVERY_S)
            await asyncio.sleep(PUBLISH_EVERY_S)
