import asyncio
import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ekiben.batching import Batcher, BatchLimits
from ekiben.errors import DeadlineError, EngineError, NotReadyError, OverloadedError, RowError

BAD = -1


class Gate:
    """An engine that doubles its rows, remembers its batches, and waits at a gate while it is shut."""

    def __init__(self, *, is_open=True):
        self.batches = []
        self.open = threading.Event()
        self.entered = threading.Event()
        if is_open:
            self.open.set()

    def __call__(self, rows, key):
        self.entered.set()
        assert self.open.wait(30)
        self.batches.append(list(rows))
        if BAD in rows:
            raise ValueError(f"cannot take {BAD}")
        return [row * 2 for row in rows]


async def entered(gate):
    while not gate.entered.is_set():  # noqa: ASYNC110 - the event is set by a thread
        await asyncio.sleep(0.001)


async def test_a_request_gets_its_own_answers_in_order():
    batcher = Batcher(Gate())
    assert await batcher.submit([3, 1, 2]) == [6, 2, 4]
    await batcher.close()


async def test_an_empty_request_gets_an_empty_answer():
    gate = Gate()
    batcher = Batcher(gate)
    assert await batcher.submit([]) == []
    assert gate.batches == []
    await batcher.close()


async def test_what_arrives_while_the_engine_is_busy_goes_as_one_batch():
    gate = Gate(is_open=False)
    batcher = Batcher(gate)
    first = asyncio.create_task(batcher.submit([1]))
    await entered(gate)
    others = [asyncio.create_task(batcher.submit([row])) for row in range(2, 10)]
    await asyncio.sleep(0.01)
    gate.open.set()
    assert await first == [2]
    assert await asyncio.gather(*others) == [[row * 2] for row in range(2, 10)]
    assert gate.batches == [[1], list(range(2, 10))]
    await batcher.close()


async def test_a_batch_is_bounded_in_rows_and_a_long_request_lets_others_pass():
    gate = Gate(is_open=False)
    batcher = Batcher(gate, limits=BatchLimits(max_batch_rows=4))
    first = asyncio.create_task(batcher.submit([0]))
    await entered(gate)
    long = asyncio.create_task(batcher.submit(list(range(100, 110))))
    short = asyncio.create_task(batcher.submit([7]))
    await asyncio.sleep(0.01)
    gate.open.set()
    assert await short == [14]
    assert await long == [row * 2 for row in range(100, 110)]
    await first
    assert max(map(len, gate.batches)) == 4
    assert gate.batches.index([7, 104, 105, 106]) == 2, (
        "the short request went after one chunk of the long one"
    )
    await batcher.close()


async def test_a_batch_is_bounded_by_what_its_rows_are_expected_to_cost():
    sizes = []

    def slow(rows, key):
        sizes.append(len(rows))
        time.sleep(0.002 * len(rows))
        return rows

    batcher = Batcher(slow, limits=BatchLimits(max_latency_ms=20))
    for rows in (1, 4, 8):
        batcher.cost.observe(rows, 0.002 * rows)
    await batcher.submit(list(range(100)))
    assert max(sizes) <= 12
    assert sum(sizes) == 100
    await batcher.close()


async def test_a_quick_engine_answers_on_the_event_loop():
    threads = []

    def quick(rows, key):
        threads.append(threading.current_thread())
        return rows

    batcher = Batcher(quick)
    await batcher.submit([1])
    for _ in range(200):
        batcher.cost.observe(1, 1e-6)
    assert batcher.answers_at_once
    await batcher.submit([1])
    assert threads[0] is not threading.main_thread()
    assert threads[-1] is threading.main_thread()
    await batcher.close()


@pytest.mark.parametrize("quick", [True, False])
async def test_a_bad_row_fails_alone_and_is_named(quick):
    gate = Gate()
    batcher = Batcher(gate, check_row=1)
    if quick:
        batcher.cost.observe(1, 1e-6)
    answers = await asyncio.gather(
        batcher.submit([1]), batcher.submit([2, 3, BAD, 4]), batcher.submit([5, 6]), return_exceptions=True
    )
    assert answers[0] == [2]
    assert answers[2] == [10, 12]
    assert isinstance(answers[1], RowError)
    assert answers[1].row == 2
    assert "cannot take -1" in str(answers[1])
    assert batcher.counts.failed == 1
    await batcher.close()


async def test_many_bad_rows_in_one_batch_fail_alone():
    gate = Gate(is_open=False)
    batcher = Batcher(gate)
    first = asyncio.create_task(batcher.submit([0]))
    await entered(gate)
    rows = [BAD if number % 3 == 0 else number for number in range(1, 40)]
    others = [asyncio.create_task(batcher.submit([row])) for row in rows]
    await asyncio.sleep(0.01)
    gate.open.set()
    answers = await asyncio.gather(*others, return_exceptions=True)
    for row, answer in zip(rows, answers, strict=True):
        assert isinstance(answer, RowError) if row == BAD else answer == [row * 2]
    await first
    await batcher.close()


async def test_a_row_that_the_engine_itself_refuses_is_named_by_its_place_in_the_request():
    def engine(rows, key):
        if BAD in rows:
            raise RowError(rows.index(BAD), "its prediction is nan, not a finite number")
        return rows

    batcher = Batcher(engine, limits=BatchLimits(max_batch_rows=2))
    with pytest.raises(RowError, match="row 4: the model cannot answer it: its prediction is nan"):
        await batcher.submit([1, 2, 3, 4, BAD, 6])
    await batcher.close()


async def test_an_engine_that_no_longer_answers_a_known_row_is_at_fault_itself():
    def broken(rows, key):
        raise RuntimeError("out of order")

    batcher = Batcher(broken, check_row=1)
    with pytest.raises(EngineError, match="out of order"):
        await batcher.submit([5])
    await batcher.close()


@pytest.mark.parametrize("wrong", [0, 1, 3])
async def test_a_wrong_number_of_answers_is_nobodys_answer(wrong):
    batcher = Batcher(lambda rows, key: [0] * wrong)
    with pytest.raises(EngineError, match=f"{wrong} answers for 2 rows"):
        await batcher.submit([1, 2])
    await batcher.close()


async def test_a_full_queue_refuses_at_once_and_says_when_to_come_back():
    gate = Gate(is_open=False)
    batcher = Batcher(gate, limits=BatchLimits(max_queue_rows=4))
    first = asyncio.create_task(batcher.submit([1]))
    await entered(gate)
    waiting = [asyncio.create_task(batcher.submit([row, row])) for row in (2, 3)]
    await asyncio.sleep(0)
    with pytest.raises(OverloadedError) as refused:
        await batcher.submit([4])
    assert refused.value.retry_after_s >= 1
    assert batcher.counts.rejected == 1
    gate.open.set()
    assert await first == [2]
    assert await asyncio.gather(*waiting) == [[4, 4], [6, 6]]
    assert await batcher.submit([4, 5]) == [8, 10], "there is room again"
    await batcher.close()


async def test_a_request_larger_than_the_queue_is_taken_and_leaves_room_for_short_ones():
    gate = Gate(is_open=False)
    batcher = Batcher(gate, limits=BatchLimits(max_queue_rows=4, max_batch_rows=2))
    first = asyncio.create_task(batcher.submit([1]))
    await entered(gate)
    short = asyncio.create_task(batcher.submit([2]))
    long = asyncio.create_task(batcher.submit(list(range(100))))
    await asyncio.sleep(0)
    other = asyncio.create_task(batcher.submit([3]))
    await asyncio.sleep(0)
    with pytest.raises(OverloadedError):
        await batcher.submit([4])
    with pytest.raises(OverloadedError):
        await batcher.submit(list(range(100)))
    gate.open.set()
    assert await first == [2]
    assert await short == [4]
    assert await other == [6]
    assert await long == [row * 2 for row in range(100)]
    assert await batcher.submit(list(range(100))) == [row * 2 for row in range(100)]
    await batcher.close()


async def test_an_engine_that_raises_stop_iteration_does_not_stop_the_others():
    def engine(rows, key):
        time.sleep(0.002)
        if BAD in rows:
            raise StopIteration
        return rows

    batcher = Batcher(engine)
    answers = await asyncio.gather(
        batcher.submit([1]), batcher.submit([BAD]), batcher.submit([2]), return_exceptions=True
    )
    assert answers[0] == [1]
    assert isinstance(answers[1], RowError)
    assert answers[2] == [2]
    assert await batcher.submit([3]) == [3]
    await batcher.close()


async def test_a_failed_batch_is_not_halved_for_those_who_have_gone():
    gate, gone, batches = Gate(is_open=False), threading.Event(), []

    def engine(rows, key):
        batches.append(list(rows))
        if BAD in rows:
            assert gone.wait(30)
            raise ValueError("bad")
        return gate(rows, key)

    batcher = Batcher(engine, limits=BatchLimits(timeout_s=0.2))
    first = asyncio.create_task(batcher.submit([1]))
    await entered(gate)
    late = [asyncio.create_task(batcher.submit([BAD])) for _ in range(8)]
    await asyncio.sleep(0.01)
    gate.open.set()
    assert await first == [2]
    answers = await asyncio.gather(*late, return_exceptions=True)
    assert all(isinstance(answer, DeadlineError) for answer in answers)
    gone.set()
    assert await batcher.submit([2]) == [4]
    assert batches == [[1], [BAD] * 8, [2]]
    await batcher.close()


async def test_an_engine_that_is_stuck_is_told():
    gate = Gate(is_open=False)
    batcher = Batcher(gate, limits=BatchLimits(timeout_s=0.01))
    with pytest.raises(DeadlineError):
        await batcher.submit([1])
    await asyncio.sleep(0.03)
    assert batcher.stalled_s > 0.02
    gate.open.set()
    await batcher.close()
    await asyncio.sleep(0.05)
    assert batcher.stalled_s == 0


async def test_close_does_not_wait_for_an_engine_that_computes_for_nobody():
    gate = Gate(is_open=False)
    batcher = Batcher(gate, limits=BatchLimits(timeout_s=0.01))
    with pytest.raises(DeadlineError):
        await batcher.submit([1])
    await asyncio.wait_for(batcher.close(grace_s=30), 1)
    gate.open.set()


async def test_a_cancelled_request_is_not_computed():
    gate = Gate(is_open=False)
    batcher = Batcher(gate)
    first = asyncio.create_task(batcher.submit([1]))
    await entered(gate)
    gone = asyncio.create_task(batcher.submit([2]))
    stays = asyncio.create_task(batcher.submit([3]))
    await asyncio.sleep(0.01)
    gone.cancel()
    gate.open.set()
    assert await stays == [6]
    assert await first == [2]
    assert gate.batches == [[1], [3]]
    assert batcher.counts.cancelled == 1
    assert batcher.waiting_rows == 0
    await batcher.close()


async def test_a_late_request_is_told_so_and_not_computed():
    gate = Gate(is_open=False)
    batcher = Batcher(gate, limits=BatchLimits(timeout_s=0.05))
    first = asyncio.create_task(batcher.submit([1]))
    await entered(gate)
    late = asyncio.create_task(batcher.submit([2], timeout_s=0.02))
    with pytest.raises(DeadlineError, match=r"within 0.02 s"):
        await late
    with pytest.raises(DeadlineError, match=r"within 0.05 s"):
        await first
    gate.open.set()
    assert await batcher.submit([3]) == [6]
    assert gate.batches == [[1], [3]]
    assert batcher.counts.expired == 2
    await batcher.close()


async def test_requests_with_different_keys_are_not_mixed():
    seen = []

    def engine(rows, key):
        time.sleep(0.005)
        seen.append((key, list(rows)))
        return [(key, row) for row in rows]

    batcher = Batcher(engine)
    first = asyncio.create_task(batcher.submit([0], key="a"))
    await asyncio.sleep(0)
    others = [asyncio.create_task(batcher.submit([n], key="ab"[n % 2])) for n in range(1, 7)]
    assert await asyncio.gather(*others) == [[("ab"[n % 2], n)] for n in range(1, 7)]
    await first
    assert [key for key, _ in seen] == ["a", "b", "a"]
    await batcher.close()


async def test_close_lets_requests_in_flight_finish_and_takes_no_more():
    gate = Gate(is_open=False)
    batcher = Batcher(gate)
    running = asyncio.create_task(batcher.submit([1]))
    await entered(gate)
    waiting = asyncio.create_task(batcher.submit([2]))
    await asyncio.sleep(0)
    closing = asyncio.create_task(batcher.close(grace_s=10))
    await asyncio.sleep(0)
    with pytest.raises(NotReadyError, match="shutting down"):
        await batcher.submit([3])
    gate.open.set()
    await closing
    assert await running == [2]
    assert await waiting == [4]


async def test_close_fails_what_does_not_finish_in_time():
    gate = Gate(is_open=False)
    batcher = Batcher(gate)
    running = asyncio.create_task(batcher.submit([1]))
    await entered(gate)
    waiting = asyncio.create_task(batcher.submit([2]))
    await asyncio.sleep(0)
    await batcher.close(grace_s=0.02)
    for request in (running, waiting):
        with pytest.raises(NotReadyError, match="was shut down"):
            await request
    gate.open.set()


def test_limits_that_cannot_be_are_refused():
    with pytest.raises(ValueError, match="max_batch_rows is 0"):
        BatchLimits(max_batch_rows=0)


@settings(deadline=None, max_examples=40)
@given(
    requests=st.lists(st.lists(st.integers(-1, 5), max_size=7), max_size=25),
    max_batch_rows=st.integers(1, 9),
    quick=st.booleans(),
)
def test_every_request_gets_its_own_answers_whatever_comes_with_it(requests, max_batch_rows, quick):
    async def run():
        batcher = Batcher(Gate(), limits=BatchLimits(max_batch_rows=max_batch_rows))
        if quick:
            batcher.cost.observe(1, 1e-7)
        answers = await asyncio.gather(*map(batcher.submit, requests), return_exceptions=True)
        for rows, answer in zip(requests, answers, strict=True):
            if BAD in rows:
                assert isinstance(answer, RowError)
                assert answer.row == rows.index(BAD)
            else:
                assert answer == [row * 2 for row in rows]
        assert batcher.waiting_rows == 0
        assert batcher.counts.requests == sum(map(bool, requests))
        await batcher.close()

    asyncio.run(run())
