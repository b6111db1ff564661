"""Where a model comes from: libraries, commit, script, data."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from ekiben.artifact import provenance


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """A repository with one commit, in which the process works."""
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "train").mkdir()
    (tmp_path / "train" / "credit.py").write_text("")
    identity = ["-c", "user.name=ekiben", "-c", "user.email=ekiben@example.org", "-c", "commit.gpgsign=false"]
    for command in (["init", "-q"], ["add", "."], [*identity, "commit", "-q", "-m", "first"]):
        subprocess.run(["git", *command], check=True, env={**os.environ, "GIT_CONFIG_GLOBAL": os.devnull})
    return tmp_path


def frame(**columns):
    return pd.DataFrame({"age": [1.0, np.nan], "job": pd.Series(["a", "b"], dtype="str"), **columns})


def test_the_commit_is_told(repository):
    head = subprocess.run(
        ["git", "rev-parse", "HEAD"], check=True, capture_output=True, text=True
    ).stdout.strip()
    assert provenance.commit() == provenance.Commit(commit=head, dirty=False)


def test_changes_since_the_commit_are_told(repository):
    (repository / "train" / "credit.py").write_text("changed")
    assert provenance.commit().dirty


def test_new_files_are_no_change(repository):
    (repository / "notes.txt").write_text("new")
    assert not provenance.commit().dirty


def test_outside_a_repository_there_is_no_commit(tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert provenance.commit(tmp_path) is None


def test_without_git_there_is_no_commit(repository, monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert provenance.commit() is None


def test_the_script_is_told_from_the_root_of_its_repository(repository, monkeypatch):
    monkeypatch.chdir(repository / "train")
    monkeypatch.setattr(sys, "argv", ["credit.py"])
    assert provenance.script() == "train/credit.py"


def test_outside_a_repository_the_script_is_told_from_the_current_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "fit.py").write_text("")
    monkeypatch.setattr(sys, "argv", [str(tmp_path / "fit.py")])
    assert provenance.script() == "fit.py"


@pytest.mark.parametrize("argv", [[], [""], ["-c"], ["/nowhere/at/all.py"]])
def test_outside_of_a_script_there_is_none(monkeypatch, argv):
    monkeypatch.setattr(sys, "argv", argv)
    assert provenance.script() is None


def test_the_libraries_are_told():
    found = provenance.versions({"bentoml": "1.4"})
    assert {
        "python",
        "ekiben",
        "scikit-learn",
        "xgboost",
        "numpy",
        "pandas",
        "skops",
        "bentoml",
    } <= found.keys()
    assert found["python"] == ".".join(map(str, sys.version_info[:3]))


def test_the_time_is_utc():
    made = dt.datetime.fromisoformat(provenance.now())
    assert abs(dt.datetime.now(dt.UTC) - made) < dt.timedelta(seconds=5)


def test_equal_data_has_an_equal_fingerprint():
    first, second = frame(), frame().set_index(pd.Index([7, 8]))
    assert provenance.fingerprint(first, "sample") == provenance.fingerprint(second, "sample")


@pytest.mark.parametrize(
    "other",
    [
        frame(age=[1.0, 2.0]),
        frame(age=pd.Series([1.0, np.nan], dtype="float32")),
        frame(extra=[1, 2]),
        frame().rename(columns={"age": "Age"}),
        frame()[["job", "age"]],
        frame().iloc[::-1],
    ],
)
def test_other_data_has_another_fingerprint(other):
    assert provenance.fingerprint(other, "sample").sha256 != provenance.fingerprint(frame(), "sample").sha256


def test_a_column_of_mixed_objects_has_a_fingerprint():
    mixed = pd.DataFrame({"a": pd.Series([1, "x", None, [1]], dtype=object)})
    print_ = provenance.fingerprint(mixed, "training data")
    assert (print_.rows, print_.columns, print_.data) == (4, 1, "training data")


def test_the_fingerprint_is_the_same_in_every_version_and_on_every_machine():
    data = pd.DataFrame({"a": [1, 2], "b": [0.5, np.nan], "c": pd.Categorical(["x", "y"])})
    assert provenance.fingerprint(data, "sample").sha256 == (
        "121f0c2d2949052188a4a1736fae14c87ff05408def61defc7231f8e0da374d4"
    )
