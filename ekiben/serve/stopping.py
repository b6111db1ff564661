"""Stopping: a worker that is told to stop answers what it has, and does not wait for ever."""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

LAST_S = 0.3
"""Seconds from the end of the grace until the process ends by itself, in whatever state it is."""

_log = logging.getLogger("ekiben.serve")


def bound_stop(grace_s: float, *, is_serving: Callable[[], bool] = lambda: True) -> None:
    """Bound how long the server of this process takes to stop after SIGTERM.

    A caller that never ends its request would otherwise keep the worker, and with it the container, until it is killed:
    uvicorn waits for connections without a bound, unless the command line of `bentoml serve` says otherwise, and an
    image has none. SIGINT after SIGTERM is uvicorn's own sign to wait no longer.

    To be called while the server starts, when its own handler is in place. Does nothing outside the main thread, where
    no signal arrives.

    Args:
        grace_s: How long requests in flight get, in seconds.
        is_serving: Tells whether requests can have come. A worker that is still loading its models stops at once.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    server = signal.getsignal(signal.SIGTERM)

    def stop(number: int, frame: FrameType | None) -> None:
        if not is_serving():
            os._exit(0)
        threading.Thread(target=_end, args=(grace_s,), name="ekiben-stop", daemon=True).start()
        if callable(server):
            server(number, frame)

    signal.signal(signal.SIGTERM, stop)


def _end(grace_s: float) -> None:
    time.sleep(grace_s)
    _log.warning("requests or connections were open %g s after the stop; they are cut off", grace_s)
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(LAST_S)
    os._exit(0)
