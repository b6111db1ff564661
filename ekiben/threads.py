"""Threads: each worker computes with the cores that are its share, so that workers do not fight over them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

CGROUP = Path("/sys/fs/cgroup/cpu.max")
"""Where Linux says how much of the cores a container gets: microseconds in a period."""

VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""What OpenMP (scikit-learn's boosting, XGBoost) and the linear algebra behind numpy read when they are loaded."""


def share(workers: int | str | None) -> int:
    """Return how many threads one of `workers` processes may compute with; at least 1.

    Args:
        workers: How many processes; `cpu_count` is one for each core, None is one.

    >>> share("cpu_count")
    1
    """
    own = cores()
    count = own if workers == "cpu_count" else int(workers or 1)
    return max(1, own // max(1, count))


def cores() -> int:
    """Return how many cores this process may use: those of the machine, less what a container is not given."""
    there = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = CGROUP.read_text().split()
        allowed = round(int(quota) / int(period))
    except (OSError, ValueError):  # no control group, or one without a limit
        return there
    return max(1, min(there, allowed))


def claim(threads: int) -> None:
    """Tell libraries that are loaded from now on how many threads they have; what the user has set stays."""
    for variable in VARIABLES:
        os.environ.setdefault(variable, str(threads))


def limit(estimator: Any, threads: int) -> None:
    """Set every `n_jobs` inside a fitted estimator; the answers stay the same.

    `n_jobs=-1` pays in training. For a row it costs far more than it brings, and a forest adds up its trees in the order
    in which threads happen to finish.
    """
    get_params = getattr(estimator, "get_params", None)
    if get_params is None:
        return
    jobs = {name: threads for name in get_params(deep=True) if name.rpartition("__")[2] == "n_jobs"}
    if jobs:
        estimator.set_params(**jobs)
