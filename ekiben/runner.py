"""Runner: what a `Service` declares: one model, its engine and its batcher, inside the worker."""

from __future__ import annotations

import asyncio
import logging
import time
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ekiben import policy as policies
from ekiben import store, threads
from ekiben.batching import Batcher, BatchLimits
from ekiben.engine import NativeEngine
from ekiben.errors import EkibenError, NotReadyError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ekiben.engine import Engine
    from ekiben.policy import Policy
    from ekiben.signature import Decoder, Field, Signature

WARM_UP_CALLS = 3
"""Calls of one row before a model counts as ready; the first pays for lazy imports and thread pools."""

WARM_UP_ROWS = (8, 64)
"""Batches that teach the batcher what a row costs."""

_log = logging.getLogger("ekiben.runner")


class Runner:
    """One model of the store, served.

    Declare it as an attribute of a service class; the first one declared answers `/predict`.

    Args:
        tag: `name`, `name:version` or `name:alias`. Resolved when the service is defined, so that all that happens
            afterwards speaks of one version.
        max_batch_rows: Rows in one call of the engine.
        max_latency_ms: How long one call may take, by measured cost, in milliseconds. Rows that arrive meanwhile wait,
            so this bounds how long a request waits behind another.
        max_queue_rows: Rows that wait; requests that do not fit get 503.
        timeout_s: How long a request waits for its answer, in seconds; then it gets 504.

    Example:
        >>> Runner("credit", max_batch_rows=512, max_latency_ms=20)
        Runner('credit')
    """

    def __init__(
        self,
        tag: str,
        *,
        max_batch_rows: int = 512,
        max_latency_ms: float = 20.0,
        max_queue_rows: int = 10_000,
        timeout_s: float = 10.0,
    ) -> None:
        self.requested = tag
        self.name = tag.partition(":")[0]
        self.limits = BatchLimits(max_batch_rows, max_latency_ms, max_queue_rows, timeout_s)
        self.threads = 1
        self._failure: str | None = "it has not been started"
        self._home: asyncio.AbstractEventLoop | None = None
        self._batcher: Batcher[tuple[object, ...], dict[str, Any]] | None = None

    def __repr__(self) -> str:
        return f"Runner({self.requested!r})"

    @cached_property
    def tag(self) -> str:
        """The exact model, `name:version`."""
        return store.resolve(self.requested)

    @property
    def version(self) -> str:
        """The version of the model."""
        return self.tag.partition(":")[2]

    @cached_property
    def description(self) -> store.Description:
        """What the store tells about the model without loading it."""
        return store.describe(self.tag)

    @property
    def signature(self) -> Signature:
        """The columns that the model takes and what it answers."""
        return self.description.signature

    @cached_property
    def decoder(self) -> Decoder:
        """The compiled form of the signature."""
        return self.signature.decoder()

    @cached_property
    def policy(self) -> Policy:
        """What people decided in `models/NAME.toml`, or the defaults."""
        return policies.load(self.name)

    @property
    def failure(self) -> str | None:
        """Why the model does not answer; None if it does."""
        if self._failure is None and self._batcher is not None and self._batcher.stalled_s:
            return f"it has been at one call for {self._batcher.stalled_s:.0f} s"
        return self._failure

    @property
    def is_ready(self) -> bool:
        """Whether the model is loaded, has answered its warm-up row, and is not stuck."""
        return self.failure is None

    @property
    def answers_at_once(self) -> bool:
        """Whether a request of one row would be answered without waiting for anything."""
        return self._batcher is not None and self._batcher.answers_at_once

    @property
    def batcher(self) -> Batcher[tuple[object, ...], dict[str, Any]]:
        """The batcher before the engine.

        Raises:
            NotReadyError: The model is not loaded; the message says why.
        """
        if self._batcher is None or self.failure is not None:
            raise NotReadyError(f"model {self.name!r} is not ready: {self.failure}")
        return self._batcher

    async def start(self) -> None:
        """Verify, load and warm up the model. A failure is kept and told by `failure`; it does not stop the others."""
        started_s = time.perf_counter()
        try:
            batcher = await asyncio.to_thread(self._load)
        except Exception as error:  # noqa: BLE001 - whatever a stored model does, the other models go on
            self._failure = (
                str(error) if isinstance(error, EkibenError) else f"{type(error).__name__}: {error}"
            )
            _log.exception("model %s cannot be served: %s", self.requested, self.failure)
            return
        self._batcher = batcher
        self._home = asyncio.get_running_loop()
        self._failure = None
        _log.info("model %s is ready after %.1f s", self.tag, time.perf_counter() - started_s)

    async def close(self, grace_s: float = 5.0) -> None:
        """Answer what waits for at most `grace_s` seconds, and take no more."""
        self._failure = "it is shutting down"
        if self._batcher is not None:
            await self._batcher.close(grace_s)

    async def predict_rows(
        self,
        rows: Sequence[tuple[object, ...]],
        *,
        fields: tuple[Field, ...] | None = None,
        timeout_s: float | None = None,
    ) -> list[dict[str, Any]]:
        """Return one answer per row, in order.

        Args:
            rows: Checked rows, values in the order of the signature's columns, None where missing.
            fields: What an answer holds; by default what the signature says.
            timeout_s: How long to wait, in seconds; at most that of the runner.

        Raises:
            NotReadyError, OverloadedError, DeadlineError, RowError, EngineError: See `Batcher.submit`.
        """
        answers = self.batcher.submit(rows, key=fields or self.signature.output.fields, timeout_s=timeout_s)
        if self._home is None or self._home is asyncio.get_running_loop():
            return await answers
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(answers, self._home))

    async def predict(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """Return the answer to one record, for asynchronous methods of your own service.

        Raises:
            InputError: The record does not fit the signature.
            NotReadyError, OverloadedError, DeadlineError, RowError, EngineError: As `predict_rows`.
        """
        rows = self.signature.check_records([record])
        return (await self.predict_rows(rows))[0]

    def predict_sync(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """Return the answer to one record, for other methods of your own service, which BentoML runs in threads.

        Raises:
            InputError, NotReadyError, OverloadedError, DeadlineError, RowError, EngineError: As `predict`.
        """
        if self._home is None:
            raise NotReadyError(f"model {self.name!r} is not ready: {self.failure}")
        return asyncio.run_coroutine_threadsafe(self.predict(record), self._home).result()

    def _load(self) -> Batcher[tuple[object, ...], dict[str, Any]]:
        """Return a batcher before a verified engine that has answered its warm-up rows."""
        model = store.load(self.tag)
        threads.limit(model.estimator, self.threads)
        engine: Engine = NativeEngine(model, threshold=self.policy.threshold)
        output = engine.signature.output

        def run(rows: list[tuple[object, ...]], fields: tuple[Field, ...]) -> list[dict[str, Any]]:
            return engine.predict_rows(rows, fields).answers(output, fields)

        row = engine.signature.check_records([engine.signature.example])[0]
        batcher = Batcher(run, limits=self.limits, check_row=row, name=self.name)
        for rows in (*[1] * WARM_UP_CALLS, *WARM_UP_ROWS):
            started_s = time.perf_counter()
            run([row] * rows, output.fields)
            if rows > 1:
                batcher.cost.observe(rows, time.perf_counter() - started_s)
        return batcher
