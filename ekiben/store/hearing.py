"""Hearing: what libraries warn of while something runs, kept from being printed."""

from __future__ import annotations

import contextlib
import threading
import warnings
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_LOCK = threading.Lock()
"""Python keeps one set of filters for all threads: who changes it has to put it back before another does."""


@contextlib.contextmanager
def heard() -> Iterator[list[warnings.WarningMessage]]:
    """Give the list of the warnings that come while the block runs."""
    with _LOCK, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield caught
