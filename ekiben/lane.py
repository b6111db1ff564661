"""Lane: one thread that runs calls one after the other, for an event loop that waits for them."""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class Lane:
    """Runs blocking calls in a thread of its own.

    The thread is a daemon: a call that never ends (a hung native library) cannot keep the process from stopping, which
    the threads of `concurrent.futures` would.

    Args:
        name: The name of the thread.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._calls: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def run(self, call: Callable[..., T], *arguments: Any) -> asyncio.Future[T]:
        """Return a future of `call(*arguments)`; must be called from the event loop that awaits it."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name=self._name, daemon=True)
            self._thread.start()
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()

        def work() -> None:
            try:
                result = call(*arguments)
            except BaseException as error:  # noqa: BLE001 - handed to whoever awaits it
                _settle(loop, future, future.set_exception, _raisable(error))
            else:
                _settle(loop, future, future.set_result, result)

        self._calls.put(work)
        return future

    def close(self) -> None:
        """Let the thread end after the calls that were handed to it."""
        self._calls.put(None)

    def _work(self) -> None:
        while (call := self._calls.get()) is not None:
            call()


def _raisable(error: BaseException) -> Exception:
    """Return an error that a future can carry: not StopIteration, nor what would end the event loop."""
    if isinstance(error, Exception) and not isinstance(error, StopIteration):
        return error
    made = RuntimeError(f"{type(error).__name__}: {error}")
    made.__cause__ = error
    return made


def _settle(
    loop: asyncio.AbstractEventLoop,
    future: asyncio.Future[Any],
    settle: Callable[[Any], None],
    outcome: object,
) -> None:
    def settle_if_awaited() -> None:
        if not future.done():
            settle(outcome)

    with contextlib.suppress(RuntimeError):  # the loop was closed: nobody waits any more
        loop.call_soon_threadsafe(settle_if_awaited)
