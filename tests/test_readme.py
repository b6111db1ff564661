"""The README is true: its commands run, its snippets run, its tables tell what the code does.

The examples are lived through in the README's order, in an empty folder: a table is fitted, a model saved, the service
of the README served with the policy of the README, and called as the README calls it.
"""

from __future__ import annotations

import inspect
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from typing import NamedTuple

import httpx
import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

import ekiben
from ekiben import errors, policy
from ekiben.serve.limits import Limits

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
ADDRESS = "http://localhost:3000"
EKIBEN = (sys.executable, "-c", "from ekiben.cli import main; main()")


class Block(NamedTuple):
    """A fenced block: its language, its text, and the line where it begins."""

    language: str
    text: str
    line: int


def _blocks() -> list[Block]:
    fenced = re.finditer(r"^```(\w*)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    return [Block(each[1], each[2], README.count("\n", 0, each.start()) + 1) for each in fenced]


BLOCKS = _blocks()
COMMANDS = [
    shlex.split(line)
    for block in BLOCKS
    if block.language == "sh"
    for line in block.text.splitlines()
    if line
]
INLINE = [
    shlex.split(each)
    for each in re.findall(r"`((?:make|ekiben) [^`\n]+)`", re.sub(r"```.*?```", "", README, flags=re.DOTALL))
]


def _block(language: str, holding: str) -> str:
    (found,) = [block.text for block in BLOCKS if block.language == language and holding in block.text]
    return found


def _called(program: str) -> list[list[str]]:
    return [words for words in COMMANDS if words[0] == program]


# ---- what can be checked by reading ----


def test_every_block_is_of_a_language_that_is_tested_here():
    assert {block.language for block in BLOCKS} <= {"sh", "json", "python", "toml", ""}


def test_every_command_is_one_that_is_tested_here():
    assert {words[0] for words in COMMANDS} <= {"make", "curl", "ekiben", "docker"}


def test_every_make_target_exists():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {
        word for words in COMMANDS + INLINE if words[0] == "make" for word in words[1:] if "=" not in word
    }
    assert named <= targets


@pytest.mark.parametrize(
    "words", _called("ekiben") + [each for each in INLINE if each[0] == "ekiben"], ids=shlex.join
)
def test_every_ekiben_command_exists_with_its_options(words):
    done = _run(*EKIBEN, words[1], "--help", env={"COLUMNS": "200", "TERM": "dumb"})
    assert done.returncode == 0, done.stderr
    for option in (word for word in words if word.startswith("--")):
        assert option in done.stdout, f"`ekiben {words[1]}` has no {option}"


def test_every_file_of_the_house_exists():
    lines = _block("", "train/ ").splitlines()
    folder = ROOT
    for line in lines:
        for name in re.findall(r"[\w/]+(?:/|\.py|\.yaml|\.toml)(?=[ ,;]|$)", line.partition("  ")[0] or line):
            path = (folder if line.startswith("  ") else ROOT) / name
            assert path.exists(), f"the README names {name}"
        if re.match(r"\w+/$", line.strip()):
            folder = ROOT / line.strip()


def test_every_link_into_the_repository_leads_somewhere():
    for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", README):
        assert (ROOT / target).exists(), target


def test_every_python_block_compiles():
    for block in BLOCKS:
        if block.language == "python":
            compile(block.text, f"README.md:{block.line}", "exec")


def test_every_error_that_is_named_exists():
    for name in re.findall(r"`(?:ekiben\.errors\.)?(\w+Error)`", README):
        assert issubclass(getattr(errors, name), errors.EkibenError)


def test_the_table_of_settings_is_that_of_the_code():
    stated = dict(re.findall(r"^\| `(.+?)` \| (.+?) \|", README, re.MULTILINE))
    settings = {
        f"Runner({name}=)": parameter.default
        for name, parameter in inspect.signature(ekiben.Runner).parameters.items()
        if parameter.kind is parameter.KEYWORD_ONLY
    }
    settings |= {f"EKIBEN_{name.upper()}": getattr(Limits(), name) for name in Limits.__struct_fields__}
    assert {
        name: float(value.replace(" ", "").replace("\N{NO-BREAK SPACE}", ""))
        for name, value in stated.items()
        if name.startswith(("Runner(", "EKIBEN_"))
    } == settings


# ---- what is lived through ----


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder as a reader of the README has it: a table to fit, files to score, a store of its own."""
    folder = tmp_path_factory.mktemp("readme")
    rng = np.random.default_rng(0)
    people = pd.DataFrame({"tenure": rng.integers(0, 72, 400), "charges": rng.gamma(9, 8, 400).round(2)})
    churned = np.where(people["charges"] - people["tenure"] + rng.normal(0, 20, 400) > 40, "Yes", "No")
    people.assign(Churn=churned).to_csv(folder / "churn.csv", index=False)
    return folder


@pytest.fixture(scope="module")
def applicants():
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"duration": rng.integers(6, 60, 300), "amount": rng.gamma(2, 1500, 300).round()})
    return frame, (frame["amount"] / frame["duration"] > 90).astype(int)


@pytest.fixture(scope="module")
def saved(folder, applicants):
    """The store after the README's `ekiben.save`, and the neuron of the repository."""
    frame, defaulted = applicants
    names = {
        "pipeline": LogisticRegression(max_iter=1000).fit(frame, defaulted),
        "X_train": frame,
        "y_train": defaulted,
        "X_valid": frame,
        "y_valid": defaulted,
    }
    exec(compile(_block("python", "ekiben.save("), "README.md", "exec"), names)
    frame.to_parquet(folder / "applicants.parquet")
    frame.to_csv(folder / "applicants.csv", index=False)
    (folder / "models").mkdir(exist_ok=True)
    (folder / "models" / "credit.toml").write_text(_block("toml", "threshold"))
    (folder / "service.py").write_text(_block("python", "class Predictor"))
    done = _run(sys.executable, str(ROOT / "train" / "neuron.py"), "--quick", cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def address(saved):
    """Where the README's service answers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = (sys.executable, "-m", "bentoml", "serve", "service:Predictor", "--port", str(port))
    log = (saved / "server.log").open("w")
    server = subprocess.Popen(
        command, cwd=saved, env=_environment(), stdout=log, stderr=log, start_new_session=True
    )
    address = f"http://localhost:{port}"
    try:
        _wait_until_ready(address, server, saved / "server.log")
        yield address
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(20)
        log.close()


def test_fit_makes_a_model_of_the_table(folder):
    (words,) = _called("ekiben")[:1]
    assert words[1] == "fit"
    done = _run(*EKIBEN, *words[1:], "--quick", cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    assert ekiben.load("churn").signature.names == ("tenure", "charges")
    assert (folder / "models" / "churn.toml").is_file()


def test_the_policy_is_read(saved, monkeypatch):
    monkeypatch.chdir(saved)
    stated = tomllib.loads(_block("toml", "threshold"))
    assert policy.load("credit").threshold == stated["threshold"]


def test_the_first_call_answers_what_the_readme_says(address):
    words = _called("curl")[0]
    answer = _curl(words, address)
    assert answer.status_code == 200
    assert answer.text == _block("json", "prediction").strip()


def test_the_wrong_call_is_told_everything_that_is_wrong(address):
    answer = _curl(_called("curl")[1], address)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    problems = answer.json()["problems"]
    assert {problem["column"] for problem in problems} == {"feature1", "feture3"} or len(problems) >= 2
    assert "feature3" in {problem.get("nearest") for problem in problems}


def test_the_client_snippet_runs(address):
    frame = pd.DataFrame({"feature1": [2, 0], "feature2": [3, 1], "feature3": [4, 0]})
    names = {"frame": frame}
    snippet = _block("python", "ekiben.Client(").replace(ADDRESS, address)
    exec(compile(snippet, "README.md", "exec"), names)
    assert names["answer"]["prediction"] == 1
    assert len(names["many"]) == 3
    assert len(names["scored"]) == 2


def test_the_commands_of_store_and_scoring_run(saved, address):
    for words in _called("ekiben"):
        if words[1] in ("fit", "serve"):
            continue
        done = _run(*EKIBEN, *(word.replace(ADDRESS, address) for word in words[1:]), cwd=saved)
        assert done.returncode == 0, f"{shlex.join(words)}: {done.stdout}{done.stderr}"
    in_process = pd.read_parquet(saved / "scored.parquet")
    over_http = pd.read_csv(saved / "scored.csv")
    assert len(in_process) == len(over_http) == 300
    assert (in_process["prediction"].to_numpy() == over_http["prediction"].to_numpy()).all()


def _environment() -> dict[str, str]:
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "NO_COLOR": "1"}


def _run(
    *command: str, cwd: Path = ROOT, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=cwd,
        env=_environment() | (env or {}),
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )


def _curl(words: list[str], address: str) -> httpx.Response:
    """Send what a curl command would send."""
    method = words[words.index("-X") + 1]
    name, _, value = words[words.index("-H") + 1].partition(": ")
    url = words[-1].replace(ADDRESS, address)
    return httpx.request(method, url, headers={name: value}, content=words[words.index("-d") + 1], timeout=30)


def _wait_until_ready(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline_s = time.monotonic() + 90
    while time.monotonic() < deadline_s and server.poll() is None:
        try:
            if httpx.get(f"{address}/readyz", timeout=5).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.2)
    pytest.fail(f"the README's service did not become ready:\n{log.read_text()}")
