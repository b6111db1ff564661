"""The nine training scripts: each one trains, saves, and meets its own gates."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import ekiben
from ekiben import policy

ROOT = Path(__file__).parents[1]
CASES = sorted(path.stem for path in (ROOT / "models").glob("*.toml"))
RUN = """
import runpy, sys
sys.path.insert(0, "train")
for name in sys.argv[1:]:
    sys.argv = [name, "--quick"]
    runpy.run_path(f"train/{name}.py", run_name="__main__")
"""


def script(*words, code=None, home=None):
    """Run Python in the root of the repository with the store of the tests, warnings of the models being errors."""
    strict = ["-W", "error::FutureWarning", "-W", "error::UserWarning", "-W", "error::RuntimeWarning"]
    command = [sys.executable, *strict, *(["-c", code] if code else []), *map(str, words)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": "1"} | (
        {"BENTOML_HOME": str(home)} if home else {}
    )
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=280
    )


@pytest.fixture(scope="module")
def trained():
    """Train all models in one process, which spares eight times the imports."""
    done = script(*CASES, code=RUN)
    assert done.returncode == 0, done.stdout[-2_000:] + done.stderr[-4_000:]
    return done.stdout


def test_there_are_nine_cases_and_no_script_more():
    scripts = {path.stem for path in (ROOT / "train").glob("*.py")} - {"__main__"}
    assert scripts == set(CASES)
    assert len(CASES) == 9


@pytest.mark.parametrize("name", CASES)
def test_a_script_saves_a_model_that_answers_its_typical_row_and_meets_its_gates(trained, name):
    assert f"next: ekiben serve {name}" in trained
    model = ekiben.load(name)
    decided = policy.load(name, ROOT / "models")
    assert decided.gates
    assert decided.missed(model.metrics) == []
    assert decided.threshold is None
    rows = model.signature.check_records([model.signature.example])
    assert len(model.estimator.predict(model.signature.frame(rows))) == 1


@pytest.mark.parametrize("name", CASES)
def test_a_script_is_short(name):
    assert len((ROOT / "train" / f"{name}.py").read_text(encoding="utf-8").splitlines()) <= 90


@pytest.mark.usefixtures("trained")
def test_the_answer_of_the_neuron_follows_from_its_weights():
    model = ekiben.load("neuron")
    (W, v), (b, c) = model.estimator.coefs_, model.estimator.intercepts_
    x = np.array([2.0, 3.0, 4.0])
    a1, a2 = 1 / (1 + np.exp(-(x @ W + b)))
    y = 1 / (1 + np.exp(-(v[0, 0] * a1 + v[1, 0] * a2 + c[0])))
    row = pd.DataFrame([x], columns=["feature1", "feature2", "feature3"])
    assert model.estimator.predict_proba(row)[0, 1] == pytest.approx(y, abs=1e-12)
    assert y > 0.9
    assert model.estimator.predict(row).tolist() == [1]
    assert [column.kind for column in model.signature.columns] == ["float"] * 3
    assert model.signature.output.fields == ("prediction",)
    assert "probability" in model.signature.output.available


def test_a_script_takes_a_table_of_ones_own(tmp_path):
    rng = np.random.default_rng(0)
    jobs = pd.DataFrame(
        {"UDI": range(400), "Torque [Nm]": rng.normal(40, 10, 400), "Type": rng.choice(["L", "M"], 400)}
    )
    jobs["Machine failure"] = (jobs["Torque [Nm]"] + rng.normal(0, 3, 400) > 48).astype(int)
    jobs["HDF"] = jobs["Machine failure"]
    jobs.to_csv(tmp_path / "jobs.csv", index=False)
    given = ["--data", tmp_path / "jobs.csv", "--target", "Machine failure"]
    done = script("train/maintenance.py", *given, "--quick", home=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "400 rows; columns: 1 number, 1 category; target 'Machine failure' (binary)" in done.stdout
    assert (tmp_path / "models" / "maintenance").is_dir()


def test_an_error_is_a_line_and_no_traceback():
    done = script("train/credit.py", "--data", "nowhere.csv", "--quick")
    assert done.returncode == 1
    assert done.stderr.startswith("error: there is no file 'nowhere.csv'")
    assert "Traceback" not in done.stderr
