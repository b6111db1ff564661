"""The image, built as the README says, run as anybody would run it.

Needs a container engine: `make test-container`.
"""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import tarfile
import threading
import time
from io import BytesIO
from pathlib import Path

import httpx
import pytest

import ekiben
from ekiben.policy import load as load_policy

pytestmark = [pytest.mark.container, pytest.mark.timeout(900)]

ROOT = Path(__file__).parents[1]
MODELS = (
    "credit",
    "disease",
    "fraud",
    "inventory",
    "maintenance",
    "neuron",
    "quality",
    "recommend",
    "traffic",
)
STOP_S = 5.0
"""How long the image may take to stop."""


def docker(*arguments: str, stdin: bytes | None = None) -> str:
    done = subprocess.run(("docker", *arguments), input=stdin, capture_output=True, check=False)
    assert done.returncode == 0, f"docker {' '.join(arguments)}: {done.stderr.decode()}"
    return done.stdout.decode().strip()


class Container:
    """A container of the image, at a port that was free."""

    def __init__(self, image: str) -> None:
        self.id = docker("create", "--publish", "127.0.0.1::3000", image)

    def start(self) -> None:
        docker("start", self.id)
        self.port = int(docker("port", self.id, "3000/tcp").rpartition(":")[2])
        self.address = f"http://127.0.0.1:{self.port}"

    def get(self, path: str) -> httpx.Response:
        return httpx.get(self.address + path, timeout=30)

    def wait_for(self, path: str, status: int, *, within_s: float = 60) -> httpx.Response:
        deadline_s = time.monotonic() + within_s
        last = "no answer"
        while time.monotonic() < deadline_s:
            try:
                answer = self.get(path)
                if answer.status_code == status:
                    return answer
                last = f"{answer.status_code}: {answer.text}"
            except httpx.TransportError as error:
                last = repr(error)
            time.sleep(0.2)
        pytest.fail(f"{path} did not answer {status} within {within_s:g} s, but {last}\n{self.logs()}")

    def python(self, code: str) -> str:
        return docker("exec", self.id, "python", "-c", code)

    def stop(self) -> float:
        """Return the seconds until it had stopped, and with what: killed is a failure."""
        started_s = time.monotonic()
        docker("stop", "-t", "20", self.id)
        took_s = time.monotonic() - started_s
        assert self.inspect()["State"]["ExitCode"] == 0, self.logs()
        return took_s

    def inspect(self) -> dict:
        return json.loads(docker("inspect", self.id))[0]

    def logs(self) -> str:
        return docker("logs", self.id)

    def remove(self) -> None:
        docker("rm", "--force", "--volumes", self.id)


@pytest.fixture(scope="module")
def store():
    """All models, quickly trained, in the store of the tests."""
    command = (sys.executable, "train", "--missing", "--quick")
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return {entry.name: str(entry.tag) for entry in ekiben.models()}


@pytest.fixture(scope="module")
def image(store):
    """The image as `ekiben image` tells about it; it is gone afterwards."""
    name = f"ekiben-test-{os.getpid()}"
    command = (
        "-c",
        "from ekiben.cli import main; main()",
        "image",
        "--json",
        "--name",
        name,
        "--opt",
        "network=host",
    )
    done = subprocess.run((sys.executable, *command), cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    built = json.loads(done.stdout)
    yield built
    docker("rmi", "--force", json.loads(docker("inspect", built["name"]))[0]["Id"])


@pytest.fixture
def make_container(image):
    """Return a factory of containers that are not started yet."""
    made = []

    def make() -> Container:
        made.append(Container(image["name"]))
        return made[-1]

    yield make
    for each in made:
        each.remove()


@pytest.fixture(scope="module")
def served(image):
    """One container that is ready, for the tests that only look."""
    container = Container(image["name"])
    try:
        container.start()
        container.wait_for("/readyz", 200)
        yield container
    finally:
        container.remove()


@pytest.mark.parametrize("name", MODELS)
def test_the_image_answers_as_the_model_does_here(served, store, name):
    told = served.get(f"/models/{name}").json()
    rows = [told["example"]] * 2
    answer = httpx.post(f"{served.address}/predict/{name}", json=rows, timeout=30)
    assert answer.status_code == 200, answer.text
    assert answer.headers["x-model"] == store[name]
    given, expected = flat(answer.json()), flat(answers_here(name, rows))
    assert given.keys() == expected.keys()
    for path, value in expected.items():
        assert given[path] == (
            pytest.approx(value, rel=1e-12, abs=1e-14) if isinstance(value, float) else value
        )


def flat(value: object, path: str = "") -> dict[str, object]:
    """Return the numbers and texts of an answer by their path; numbers differ in the last bit with the threads of BLAS."""
    if isinstance(value, dict | list):
        parts = value.items() if isinstance(value, dict) else enumerate(value)
        return {name: leaf for key, part in parts for name, leaf in flat(part, f"{path}/{key}").items()}
    return {path: value}


def answers_here(name: str, rows: list[dict]) -> list[dict]:
    """Return what the model of the store answers in this process."""
    from ekiben.engine import NativeEngine

    engine = NativeEngine(ekiben.load(name), threshold=load_policy(name, ROOT / "models").threshold)
    output = engine.signature.output
    checked = engine.signature.check_records(rows)
    return json.loads(json.dumps(engine.predict_rows(checked, output.fields).answers(output, output.fields)))


def test_the_image_is_named_and_labelled_by_version(image, store):
    told = json.loads(docker("inspect", image["name"]))[0]
    name, _, version = image["name"].partition(":")
    labels = told["Config"]["Labels"]
    assert labels["org.opencontainers.image.title"] == name
    assert labels["org.opencontainers.image.version"] == version
    assert re.match(r"\d{4}-\d\d-\d\dT", labels["org.opencontainers.image.created"])
    assert set(labels["ekiben.models"].split(",")) == set(store.values())
    assert {image["name"], f"{name}:latest"} <= set(told["RepoTags"])


def test_it_runs_as_a_user_without_privileges(served):
    assert served.python("import os; print(os.getuid())") != "0"
    running = served.python(
        "from pathlib import Path\n"
        "print(*{p.stat().st_uid for p in Path('/proc').iterdir() if p.name.isdigit()})"
    )
    assert "0" not in running.split()


def test_it_tracks_nobody(served):
    assert "BENTOML_DO_NOT_TRACK=True" in served.inspect()["Config"]["Env"]


def test_it_holds_no_compiler(served):
    found = served.python(
        "import shutil; print([name for name in ('gcc', 'cc', 'git') if shutil.which(name)])"
    )
    assert found == "[]"


def test_what_is_imported_is_compiled(served):
    cached = served.python("import pandas, importlib.util as u; print(u.cache_from_source(pandas.__file__))")
    assert served.python(f"import os; print(os.path.exists({cached!r}))") == "True"


def test_it_logs_to_standard_output(served):
    done = subprocess.run(("docker", "logs", served.id), capture_output=True, text=True, check=True)
    assert "Starting production HTTP BentoServer" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_it_stops_in_time_and_answers_the_request_in_flight(make_container):
    container = make_container()
    container.start()
    container.wait_for("/readyz", 200)
    example = container.get("/models/neuron").json()["example"]
    expected = httpx.post(f"{container.address}/predict/neuron", json=example, timeout=30).json()
    with (
        httpx.Client() as idle,
        socket.create_connection(("127.0.0.1", container.port), timeout=20) as flying,
    ):
        idle.get(f"{container.address}/livez")  # an open connection that asks for nothing does not hold it up
        body = json.dumps(example).encode()
        head = f"POST /predict/neuron HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
        flying.sendall(head.encode() + b"\r\n\r\n" + body[:5])
        time.sleep(0.5)
        took_s: list[float] = []
        stopping = threading.Thread(target=lambda: took_s.append(container.stop()))
        stopping.start()
        time.sleep(1.5)
        flying.sendall(body[5:])
        answer = b"".join(iter(lambda: flying.recv(65536), b""))
        stopping.join()
    assert answer.startswith(b"HTTP/1.1 200")
    assert json.loads(answer.rpartition(b"\r\n\r\n")[2]) == expected
    assert took_s[0] < STOP_S


def test_it_stops_in_time_though_a_caller_never_ends_his_request(make_container):
    container = make_container()
    container.start()
    container.wait_for("/readyz", 200)
    with socket.create_connection(("127.0.0.1", container.port), timeout=20) as hanging:
        hanging.sendall(b"POST /predict/neuron HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n{")
        time.sleep(0.5)
        assert container.stop() < STOP_S


def test_a_worker_that_dies_is_replaced(make_container):
    container = make_container()
    container.start()
    container.wait_for("/readyz", 200)
    workers = (
        "from pathlib import Path\n"
        "found = [int(p.name) for p in Path('/proc').iterdir() if p.name.isdigit()"
        " and b'_bentoml_impl.worker.service' in (p / 'cmdline').read_bytes()]\n"
    )
    before = int(container.python(f"{workers}print(len(found))"))
    container.python(f"{workers}import os, signal; os.kill(found[0], signal.SIGKILL)")
    deadline_s = time.monotonic() + 30
    while time.monotonic() < deadline_s:
        if int(container.python(f"{workers}print(len(found))")) == before:
            break
        time.sleep(0.5)
    else:
        pytest.fail(f"the worker was not replaced\n{container.logs()}")
    container.wait_for("/readyz", 200)


def test_a_model_file_that_was_changed_keeps_it_from_becoming_ready(make_container, store):
    container = make_container()
    name, _, version = store["disease"].partition(":")
    folder = f"/home/bentoml/bento/models/{name}/{version}"
    _flip_one_byte(container, f"{folder}/model.skops")
    container.start()
    container.wait_for("/livez", 200)
    answer = container.wait_for("/predict/neuron", 405)  # the others are served
    refused = container.wait_for("/readyz", 503)
    deadline_s = time.monotonic() + 10
    while time.monotonic() < deadline_s:
        refused = container.get("/readyz")
        assert refused.status_code == 503
        time.sleep(0.5)
    assert "model.skops" in refused.json()["detail"]
    answer = httpx.post(f"{container.address}/predict/disease", json={}, timeout=30)
    assert answer.status_code == 503


def _flip_one_byte(container: Container, path: str) -> None:
    """Change a file of a container that has not been started, leaving its size as it is."""
    packed = subprocess.run(
        ("docker", "cp", f"{container.id}:{path}", "-"), capture_output=True, check=True
    ).stdout
    with tarfile.open(fileobj=BytesIO(packed)) as archive:
        (entry,) = archive.getmembers()
        content = bytearray(archive.extractfile(entry).read())
    content[len(content) // 2] ^= 1
    entry.mode = 0o644  # it arrives as root's, and is still to be read
    changed = BytesIO()
    with tarfile.open(fileobj=changed, mode="w") as archive:
        archive.addfile(entry, BytesIO(bytes(content)))
    docker("cp", "-", f"{container.id}:{path.rpartition('/')[0]}", stdin=changed.getvalue())
