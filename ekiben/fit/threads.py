"""Threads: one for each numeric library, unless there is work for more.

OpenMP threads wait for each other in a spin. On a machine that does something else, too, this costs far more than a
second thread gains: HistGradientBoosting on 20 000 rows took 0.3 s with one thread and up to 8.6 s with two on two
cores of which one was busy, and was a tenth faster with two when both were idle.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # it ships no types

if TYPE_CHECKING:
    from collections.abc import Iterator

MANY_ROWS = 100_000
"""From so many rows on, all cores work on one fit."""


@contextlib.contextmanager
def suited_to(rows: int) -> Iterator[None]:
    """Let numeric libraries use one thread inside the block, unless there are `MANY_ROWS`."""
    if rows >= MANY_ROWS:
        yield
        return
    with threadpool_limits(limits=1):
        yield


def only_one() -> None:
    """Let numeric libraries of this process use one thread from now on."""
    threadpool_limits(limits=1)


def one_thread(estimator: Any) -> Any:
    """Set every part of a fitted estimator to one thread, and return it.

    A server runs one process for each core: threads that start for a single row only get into each other's way. And a
    forest adds up its trees in the order in which threads end: only one thread gives the same bits each time.
    """
    threads = {name: 1 for name in estimator.get_params() if name.rpartition("__")[2] == "n_jobs"}
    return estimator.set_params(**threads)
