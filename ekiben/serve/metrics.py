"""Metrics: what Prometheus is told. Labels are model names and status codes only, so their number is bounded."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import bentoml

if TYPE_CHECKING:
    from ekiben.runner import Runner

SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

KINDS = ("batches", "rejected", "expired", "cancelled", "failed")
"""What is told of a batcher's counts."""


@cache
def _instruments() -> dict[str, Any]:
    """Make the instruments, once in a process; BentoML's metrics collect those of all workers."""
    metrics = bentoml.metrics
    return {
        "requests": metrics.Counter(
            name="ekiben_requests_total",
            documentation="Prediction requests answered, by model and status code",
            labelnames=["model", "status"],
        ),
        "rows": metrics.Counter(
            name="ekiben_rows_total", documentation="Rows predicted, by model", labelnames=["model"]
        ),
        "seconds": metrics.Histogram(
            name="ekiben_request_seconds",
            documentation="Seconds from a whole request to its answer, by model",
            labelnames=["model"],
            buckets=SECONDS,
        ),
        "batch": metrics.Counter(
            name="ekiben_batcher_total",
            documentation="What the batchers have done, by model and kind: batches, rejected, expired, cancelled, failed",
            labelnames=["model", "kind"],
        ),
        "waiting": metrics.Gauge(
            name="ekiben_waiting_rows",
            documentation="Rows that wait for the engine, by model",
            labelnames=["model"],
            multiprocess_mode="livesum",
        ),
        "ready": metrics.Gauge(
            name="ekiben_model_ready",
            documentation="1 if the model answers in every worker, by model and version",
            labelnames=["model", "version"],
            multiprocess_mode="livemin",
        ),
    }


class ModelMetrics:
    """The instruments of one model, with its labels bound.

    Args:
        runner: The model.
    """

    def __init__(self, runner: Runner) -> None:
        made = _instruments()
        self._runner = runner
        self._requests = made["requests"]
        self._by_status: dict[int, Any] = {}
        self._published: dict[str, int] = {}
        self._rows = made["rows"].labels(model=runner.name)
        self._seconds = made["seconds"].labels(model=runner.name)

    def observe(self, status: int, seconds: float) -> None:
        """Count one answered request."""
        counter = self._by_status.get(status)
        if counter is None:
            counter = self._by_status[status] = self._requests.labels(
                model=self._runner.name, status=str(status)
            )
        counter.inc()
        self._seconds.observe(seconds)

    def rows(self, count: int) -> None:
        """Count predicted rows."""
        self._rows.inc(count)

    def publish(self) -> None:
        """Write what the batcher counts for itself; called when a worker reports, not for each request."""
        made = _instruments()
        name = self._runner.name
        made["ready"].labels(model=name, version=self._runner.version).set(float(self._runner.is_ready))
        if not self._runner.is_ready:
            return
        batcher = self._runner.batcher
        made["waiting"].labels(model=name).set(batcher.waiting_rows)
        for kind in KINDS:
            count = getattr(batcher.counts, kind)
            made["batch"].labels(model=name, kind=kind).inc(count - self._published.get(kind, 0))
            self._published[kind] = count


def bury_the_dead() -> None:
    """Forget the gauges of workers that were killed: nobody else would, and they would be added up for ever."""
    folder = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
    if not folder or not Path(folder).is_dir():
        return
    from prometheus_client.multiprocess import mark_process_dead  # noqa: PLC0415 - BentoML decides when it is imported

    for file in Path(folder).glob("gauge_live*_*.db"):
        pid = file.stem.rpartition("_")[2]
        if pid.isdigit() and not _is_alive(int(pid)):
            mark_process_dead(int(pid))  # type: ignore[no-untyped-call]  # it has no types


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
