"""The adaptive batcher: many requests, one engine, no timer.

A request that finds the engine free runs at once. While the engine is busy, arrivals gather, and go as one batch when it
is free again. A batch is bounded in rows and, by the measured cost, in time; so a long request is answered in several
batches and does not starve the short ones beside it.

What bounds what:

- the queue holds at most `max_queue_rows` rows; what does not fit is refused at once (`OverloadedError`); a request longer
  than half of it counts as half, so at most two such requests wait at a time;
- a request waits at most `timeout_s` (`DeadlineError`); once it is late, or its caller has gone, it is not computed;
- a batch that fails is halved until the request that made it fail stands alone: its neighbours get their answers;
- an engine that returns the wrong number of answers fails the batch (`EngineError`): nobody gets another's answer;
- `close` lets what is queued finish, for a bounded time.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import time
from collections import deque
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from ekiben.cost import Cost
from ekiben.errors import DeadlineError, EkibenError, EngineError, NotReadyError, OverloadedError, RowError
from ekiben.lane import Lane

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

Row = TypeVar("Row")
Answer = TypeVar("Answer")

INLINE_S = 200e-6
"""A batch that is expected to take less than this runs on the event loop: a thread would cost as much again."""

_log = logging.getLogger("ekiben.batching")


@dataclass(frozen=True)
class BatchLimits:
    """What a batcher may hold and how long it may take.

    Args:
        max_batch_rows: Rows in one call of the engine.
        max_latency_ms: How long one call may take, by measured cost, in milliseconds; a batch is cut to it.
        max_queue_rows: Rows that wait. A request that does not fit is refused. One that is longer than half of it
            counts as half, so that it neither is refused for ever nor keeps the short ones out.
        timeout_s: How long a request may wait for its answer, in seconds.
    """

    max_batch_rows: int = 512
    max_latency_ms: float = 20.0
    max_queue_rows: int = 10_000
    timeout_s: float = 10.0

    def __post_init__(self) -> None:
        for each in fields(self):
            value = getattr(self, each.name)
            if not value > 0:
                raise ValueError(f"{each.name} is {value!r}, but must be greater than 0")


@dataclass
class BatchCounts:
    """What a batcher has done since it was made; nothing is dropped without being counted here."""

    requests: int = 0
    rows: int = 0
    batches: int = 0
    rejected: int = 0
    expired: int = 0
    cancelled: int = 0
    failed: int = 0


@dataclass(eq=False)
class _Job(Generic[Row, Answer]):
    """One request: its rows, its share of the queue, how many rows were handed to the engine, and what came back."""

    rows: Sequence[Row]
    key: Hashable
    future: asyncio.Future[list[Answer]]
    share: int = 0
    answers: list[Answer] = field(default_factory=list)
    taken: int = 0

    @property
    def waiting_rows(self) -> int:
        return len(self.rows) - self.taken


@dataclass(frozen=True)
class _Part(Generic[Row, Answer]):
    """The rows of one request that go with one batch."""

    job: _Job[Row, Answer]
    start: int
    stop: int

    @property
    def rows(self) -> Sequence[Row]:
        return self.job.rows[self.start : self.stop]


class Batcher(Generic[Row, Answer]):
    """Gathers the rows of concurrent requests into batches for one engine.

    Args:
        run: The engine: rows and the key that they share, in; one answer per row, out. It is never called twice at once.
        limits: What is bounded, and by how much.
        check_row: A row that the engine is known to answer. When a single row fails, it tells whose fault that is.
        name: For messages and the thread's name.

    Must be used from one event loop.
    """

    def __init__(
        self,
        run: Callable[[list[Row], Any], Sequence[Answer]],
        *,
        limits: BatchLimits | None = None,
        check_row: Row | None = None,
        name: str = "model",
    ) -> None:
        self.limits = limits or BatchLimits()
        self.counts = BatchCounts()
        self.cost = Cost()
        self.name = name
        self.waiting_rows = 0
        self._taken = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._called_s: float | None = None
        self._run = run
        self._check_row = check_row
        self._queue: deque[_Job[Row, Answer]] = deque()
        self._running: list[_Part[Row, Answer]] = []
        self._drainer: asyncio.Task[None] | None = None
        self._closing = False
        self._lane = Lane(f"ekiben-{name}")

    @property
    def answers_at_once(self) -> bool:
        """Whether a request of one row would be answered without waiting for anything."""
        return self._drainer is None and self._is_quick(1)

    @property
    def stalled_s(self) -> float:
        """For how many seconds the engine has been at one call, beyond what any request would wait for; usually 0."""
        called_s = self._called_s
        waited_s = 0.0 if called_s is None else time.perf_counter() - called_s
        return waited_s if waited_s > 2 * self.limits.timeout_s else 0.0

    async def submit(
        self, rows: Sequence[Row], *, key: Hashable = None, timeout_s: float | None = None
    ) -> list[Answer]:
        """Return one answer per row, in order.

        Args:
            rows: The rows of one request; all are answered, or the request fails.
            key: Requests are batched only with those of an equal key; it is handed to the engine.
            timeout_s: How long to wait, in seconds; at most, and by default, that of the limits.

        Raises:
            OverloadedError: The queue is full.
            DeadlineError: The answer was not there in time.
            RowError: The engine cannot answer one of the rows; it says which.
            EngineError: The engine is broken.
            NotReadyError: The batcher is closing.
        """
        if self._closing:
            raise NotReadyError(f"{self.name} is shutting down")
        if not rows:
            return []
        self._check_loop()
        share = min(len(rows), max(1, self.limits.max_queue_rows // 2))
        if self._taken + share > self.limits.max_queue_rows:
            self.counts.rejected += 1
            raise self._overloaded(len(rows))
        self.counts.requests += 1
        self.counts.rows += len(rows)
        if self._drainer is None and self._is_quick(len(rows)):
            return self._at_once(rows, key)
        return await self._wait_for(rows, key, share, timeout_s)

    async def close(self, grace_s: float = 5.0) -> None:
        """Take no more, let what waits finish for at most `grace_s` seconds, then fail the rest."""
        self._closing = True
        waiting = [job.future for job in (*(part.job for part in self._running), *self._queue)]
        awaited = {future for future in waiting if not future.done()}
        if awaited:
            await asyncio.wait(awaited, timeout=grace_s)
        self._fail_all(NotReadyError(f"{self.name} was shut down before this request was answered"))
        if self._drainer is not None:
            self._drainer.cancel()
        self._lane.close()

    def _check_loop(self) -> None:
        loop = asyncio.get_running_loop()
        if self._loop is None:
            self._loop = loop
        elif self._loop is not loop:
            raise EngineError(
                f"{self.name}: the batcher belongs to another event loop; call it from an async method"
            )

    def _overloaded(self, rows: int) -> OverloadedError:
        wait_s = max(1.0, self.cost.seconds(self.waiting_rows))
        return OverloadedError(
            f"{self.name}: {self.waiting_rows} rows wait and {rows} more do not fit the limit of "
            f"{self.limits.max_queue_rows}; try again in {wait_s:.0f} s",
            retry_after_s=wait_s,
        )

    def _is_quick(self, rows: int) -> bool:
        return rows <= self.limits.max_batch_rows and self.cost.known and self.cost.seconds(rows) <= INLINE_S

    def _at_once(self, rows: Sequence[Row], key: Hashable) -> list[Answer]:
        """Answer on the event loop, without a queue; a failure is looked into as in a batch."""
        job: _Job[Row, Answer] = _Job(rows, key, asyncio.get_running_loop().create_future())
        try:
            return self._solve(_Part(job, 0, len(rows)))
        except Exception:
            self.counts.failed += 1
            raise

    async def _wait_for(
        self, rows: Sequence[Row], key: Hashable, share: int, timeout_s: float | None
    ) -> list[Answer]:
        loop = asyncio.get_running_loop()
        job: _Job[Row, Answer] = _Job(rows, key, loop.create_future(), share)
        self._queue.append(job)
        self._taken += share
        self.waiting_rows += len(rows)
        allowed_s = min(timeout_s or self.limits.timeout_s, self.limits.timeout_s)
        timer = loop.call_later(allowed_s, self._expire, job, allowed_s)
        if self._drainer is None:
            self._drainer = loop.create_task(self._drain())
        try:
            return await job.future
        except asyncio.CancelledError:
            self.counts.cancelled += 1
            raise
        finally:
            timer.cancel()

    def _expire(self, job: _Job[Row, Answer], allowed_s: float) -> None:
        if not job.future.done():
            self.counts.expired += 1
            job.future.set_exception(
                DeadlineError(
                    f"{self.name}: no answer within {allowed_s:g} s; {self.waiting_rows} rows are waiting"
                )
            )

    async def _drain(self) -> None:
        """Run batches until nothing waits. The one task that touches the engine."""
        try:
            while self._queue:
                self._running = self._take()
                if self._running:
                    await self._answer(self._running)
                self._running = []
        except BaseException as error:
            if isinstance(error, Exception):
                _log.exception("%s: the batcher failed", self.name)
            self._fail_all(EngineError(f"{self.name}: the batcher stopped: {error!r}"))
            raise
        finally:
            self._drainer = None

    def _take(self) -> list[_Part[Row, Answer]]:
        """Take the next batch off the queue: live requests of one key, up to the limits."""
        room = min(self.limits.max_batch_rows, self.cost.rows_within(self.limits.max_latency_ms / 1000))
        parts: list[_Part[Row, Answer]] = []
        later: list[_Job[Row, Answer]] = []
        unfinished: list[_Job[Row, Answer]] = []
        while self._queue and room:
            job = self._queue.popleft()
            if job.future.done():  # late, cancelled, or failed in an earlier batch
                self.waiting_rows -= job.waiting_rows
                self._taken -= job.share
                continue
            if parts and job.key != parts[0].job.key:
                later.append(job)
                continue
            count = min(room, job.waiting_rows)
            parts.append(_Part(job, job.taken, job.taken + count))
            job.taken += count
            room -= count
            self.waiting_rows -= count
            if job.waiting_rows:
                unfinished.append(job)
            else:
                self._taken -= job.share
        self._queue.extendleft(reversed(later))
        self._queue.extend(unfinished)  # at the back: a long request lets the others pass
        return parts

    async def _answer(self, parts: list[_Part[Row, Answer]]) -> None:
        """Compute one batch and hand out its answers; on failure, halve it until the culprit stands alone."""
        parts = [part for part in parts if not part.job.future.done()]
        if not parts:
            return
        try:
            solved = await self._compute(parts)
        except Exception as error:  # noqa: BLE001 - an engine may raise anything
            if len(parts) == 1 or isinstance(error, EngineError):
                for part in parts:
                    self._fail(part.job, error)
                return
            middle = len(parts) // 2
            await self._answer(parts[:middle])
            await self._answer(parts[middle:])
            return
        for part, answers in zip(parts, solved, strict=True):
            job = part.job
            job.answers.extend(answers)
            if len(job.answers) == len(job.rows) and not job.future.done():
                job.future.set_result(job.answers)

    async def _compute(self, parts: list[_Part[Row, Answer]]) -> list[Sequence[Answer]]:
        """Return the answers of each part; a single part tells which of its rows failed."""
        count = sum(part.stop - part.start for part in parts)
        if self._is_quick(count):
            return self._solve_all(parts)
        return await self._lane.run(self._solve_all, parts)

    def _solve_all(self, parts: list[_Part[Row, Answer]]) -> list[Sequence[Answer]]:
        if len(parts) == 1:
            return [self._solve(parts[0])]
        answers = self._call([row for part in parts for row in part.rows], parts[0].job.key)
        bounds = [0]
        for part in parts:
            bounds.append(bounds[-1] + part.stop - part.start)
        return [answers[start:stop] for start, stop in itertools.pairwise(bounds)]

    def _solve(self, part: _Part[Row, Answer]) -> list[Answer]:
        """Answer the rows of one request, or say which of them is the first that the engine cannot answer."""
        try:
            return list(self._call(list(part.rows), part.job.key))
        except EngineError:
            raise
        except Exception as error:
            if part.stop - part.start == 1:
                raise self._blame(part, error) from error
        middle = (part.start + part.stop) // 2
        first = self._solve(_Part(part.job, part.start, middle))
        return first + self._solve(_Part(part.job, middle, part.stop))

    def _blame(self, part: _Part[Row, Answer], error: Exception) -> EkibenError:
        """Say whether the row or the engine is at fault: the engine is, if a good row fails too."""
        reason = error.reason if isinstance(error, RowError) else f"{type(error).__name__}: {error}"
        if self._check_row is not None:
            try:
                self._call([self._check_row], part.job.key)
            except Exception:  # noqa: BLE001 - whatever it is, it no longer answers what it once did
                _log.exception("%s: the engine fails on a row that it is known to answer", self.name)
                return EngineError(f"{self.name}: the model fails: {reason}")
        return RowError(part.start, reason)

    def _call(self, rows: list[Row], key: Hashable) -> Sequence[Answer]:
        started_s = self._called_s = time.perf_counter()
        try:
            answers = self._run(rows, key)
        finally:
            self._called_s = None
        self.cost.observe(len(rows), time.perf_counter() - started_s)
        self.counts.batches += 1
        if len(answers) != len(rows):
            raise EngineError(f"{self.name}: the engine gave {len(answers)} answers for {len(rows)} rows")
        return answers

    def _fail_all(self, error: Exception) -> None:
        """Fail what waits and what is running; nobody is left waiting for an answer that will not come."""
        for job in (*(part.job for part in self._running), *self._queue):
            self._fail(job, error)
        self._running = []
        self._queue.clear()
        self.waiting_rows = self._taken = 0

    def _fail(self, job: _Job[Row, Answer], error: Exception) -> None:
        if not job.future.done():
            self.counts.failed += 1
            job.future.set_exception(error)
