import asyncio
import subprocess
import sys
import threading
import time

import pytest

from ekiben.lane import Lane


async def test_calls_run_one_after_the_other_in_a_thread_of_their_own():
    lane = Lane("test")
    running = []

    def call(number):
        running.append(number)
        time.sleep(0.002)
        assert running[-1] == number, "another call ran at the same time"
        return number, threading.current_thread()

    results = await asyncio.gather(*(lane.run(call, number) for number in range(5)))
    assert [number for number, _ in results] == list(range(5))
    assert {thread.name for _, thread in results} == {"test"}
    lane.close()


async def test_an_exception_reaches_whoever_awaits_and_the_lane_goes_on():
    lane = Lane("test")
    with pytest.raises(ZeroDivisionError):
        await lane.run(lambda: 1 / 0)
    assert await lane.run(lambda: 3) == 3
    lane.close()


@pytest.mark.parametrize("kind", [StopIteration, SystemExit, KeyboardInterrupt, GeneratorExit])
async def test_what_a_future_cannot_carry_becomes_a_runtime_error(kind):
    def call():
        raise kind("no more")

    lane = Lane("test")
    with pytest.raises(RuntimeError, match=f"{kind.__name__}: no more"):
        await lane.run(call)
    assert await lane.run(lambda: 3) == 3
    lane.close()


async def test_a_call_that_nobody_awaits_any_more_does_no_harm():
    lane = Lane("test")
    future = lane.run(time.sleep, 0.01)
    future.cancel()
    assert await lane.run(lambda: 3) == 3
    lane.close()


def test_a_call_that_never_ends_does_not_keep_the_process_alive():
    code = (
        "import asyncio, time\n"
        "from ekiben.lane import Lane\n"
        "async def main():\n"
        "    Lane('stuck').run(time.sleep, 1000)\n"
        "asyncio.run(main())\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=20)
