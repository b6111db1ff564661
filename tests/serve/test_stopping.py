"""The bound on stopping, in a process of its own: it ends the process that it is in."""

import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]

SERVER = """
import signal, sys, threading, time
from ekiben.serve.stopping import bound_stop

told = []
signal.signal(signal.SIGTERM, lambda number, frame: told.append(number))
signal.signal(signal.SIGINT, {on_interrupt})
bound_stop(1.0, is_serving=lambda: {is_serving})
print("up", flush=True)
while not told:
    time.sleep(0.01)
print("told", flush=True)
{then}
"""

HANG = "while True: time.sleep(0.05)"


def stopped(*, is_serving=True, on_interrupt="lambda number, frame: sys.exit(7)", then=HANG):
    """Return the exit code of a server that was sent SIGTERM, the seconds that it took, and what it printed."""
    code = textwrap.dedent(SERVER).format(is_serving=is_serving, on_interrupt=on_interrupt, then=then)
    with subprocess.Popen(
        (sys.executable, "-c", code), cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout.readline() == "up\n"
        started_s = time.monotonic()
        server.send_signal(signal.SIGTERM)
        printed = server.stdout.read()
        return server.wait(30), time.monotonic() - started_s, printed


def test_the_server_is_told_at_once_and_ends_by_itself_if_it_can():
    code, _, printed = stopped(then="sys.exit(3)")
    assert (code, printed) == (3, "told\n")


def test_a_server_that_waits_is_interrupted_after_the_grace():
    code, took_s, _ = stopped()
    assert code == 7
    assert 1.0 <= took_s < 5


def test_a_server_that_cannot_be_interrupted_is_ended():
    code, took_s, _ = stopped(on_interrupt="signal.SIG_IGN")
    assert code == 0
    assert 1.3 <= took_s < 5


def test_a_server_that_does_not_serve_yet_ends_at_once():
    code, took_s, printed = stopped(is_serving=False)
    assert (code, printed) == (0, "")
    assert took_s < 1.0


def test_it_does_nothing_outside_the_main_thread():
    code = (
        "import signal, threading\n"
        "from ekiben.serve.stopping import bound_stop\n"
        "thread = threading.Thread(target=bound_stop, args=(1,))\n"
        "thread.start(); thread.join()\n"
        "print(signal.getsignal(signal.SIGTERM) is signal.SIG_DFL)"
    )
    done = subprocess.run((sys.executable, "-c", code), cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "True\n"
