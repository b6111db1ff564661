from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fault_server import FaultServer
from score_tables import table, write
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

import ekiben
from ekiben import threads
from ekiben.cli import main

COLUMNS = ("x", "n", "colour", "y")


def frame(count, seed=0):
    dice = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "x": dice.normal(size=count),
            "n": dice.integers(0, 5, count),
            "colour": dice.choice(["red", "green", "blue"], count),
            "y": dice.normal(size=count),
        }
    )


@pytest.fixture(scope="module")
def model():
    """A forest that would use all cores, in the store of the tests."""
    X = frame(300)
    y = np.where(X["x"] + X["n"] / 2 > 1, "bad", "good")
    pipeline = make_pipeline(
        make_column_transformer((OneHotEncoder(sparse_output=False), ["colour"]), remainder="passthrough"),
        RandomForestClassifier(30, random_state=0, n_jobs=-1),
    ).fit(X, y)
    signature = ekiben.Signature.infer(X, y, fields=["prediction", "probability"], nullable=[], target="risk")
    tag = ekiben.save("forest", pipeline, signature=signature, sample=X, labels=y)
    return tag, pipeline


def command(*arguments):
    return [sys.executable, "-m", "ekiben", *map(str, arguments)]


class Done(NamedTuple):
    """What came of a command."""

    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Run a command in this process, in a folder of its own."""

    def run_here(*arguments, stdin=b""):
        with monkeypatch.context() as patch:
            patch.chdir(tmp_path)
            patch.setattr("sys.argv", ["ekiben", *map(str, arguments)])
            patch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(stdin)))
            patch.setenv("COLUMNS", "300")
            for variable in threads.VARIABLES:
                patch.setenv(variable, "1")
            with pytest.raises(SystemExit) as caught:
                main()
        return Done(caught.value.code or 0, *capsys.readouterr())

    return run_here


def test_a_file_is_scored_as_the_pipeline_answers(tmp_path, model, run):
    tag, pipeline = model
    X = frame(500, seed=1)
    X.insert(0, "customer", [f"c{number}" for number in range(500)])
    X.to_csv(tmp_path / "in.csv", index=False)
    done = run("score", "forest", "in.csv", "out.parquet", "--json")
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert (summary["model"], summary["rows"], summary["scored"], summary["errors"]) == (
        str(tag),
        500,
        500,
        None,
    )
    found = pd.read_parquet(tmp_path / "out.parquet")
    assert list(found.columns) == ["customer", "prediction", "probability"]
    assert found["prediction"].tolist() == pipeline.predict(X[list(COLUMNS)]).tolist()
    good = pipeline.predict_proba(X[list(COLUMNS)])[:, 1]
    np.testing.assert_allclose(found["probability"], good, rtol=0, atol=1e-15)


def test_refused_rows_are_told_with_their_own_exit_code(tmp_path, model, run):
    (tmp_path / "in.csv").write_text("x,n,colour,y\n1,1,red,0\n1,1,pink,0\n")
    done = run("score", "forest", "in.csv", "out.csv")
    assert done.returncode == 3
    assert "1 of 2 rows scored by forest:" in done.stderr
    assert "out.csv.errors.csv" in done.stderr
    assert "pink" in (tmp_path / "out.csv.errors.csv").read_text()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("forst", "in.csv", "out.csv"), "did you mean 'forest'?"),
        (("forest", "in.cvs", "out.csv"), "did you mean in.csv?"),
        (("forest", "in.csv", "out.csv"), "lacks the columns"),
        (("forest", "in.csv", "out.csv", "--url", "http://127.0.0.1:9"), "is a server running there?"),
        (("forest", "in.csv", "out.csv", "--fields", "score"), "score"),
    ],
)
def test_what_cannot_be_done_is_told_in_a_sentence_and_not_a_traceback(tmp_path, model, run, arguments, said):
    (tmp_path / "in.csv").write_text("x,n\n1,1\n")
    done = run("score", *arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["in.csv"]


def test_a_server_is_asked_with_url(tmp_path, run):
    source = write(table(50), tmp_path / "in.csv")
    with FaultServer() as server:
        done = run(
            "score",
            "credit",
            source.name,
            "out.ndjson",
            "--url",
            server.url,
            "--keep",
            "none",
        )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out.ndjson").read_text().count('{"prediction":') == 50


def test_a_command_that_was_killed_goes_on_and_the_file_is_the_same_to_the_byte(tmp_path, model, run):
    X = frame(30_000, seed=2)
    X.to_parquet(tmp_path / "in.parquet")
    assert run("score", "forest", "in.parquet", "whole.csv").returncode == 0
    arguments = ("score", "forest", "in.parquet", "out.csv", "--resume", "--chunk-rows", "1000")
    journal = tmp_path / "out.csv.part" / "journal"
    process = subprocess.Popen(command(*arguments), cwd=tmp_path, stderr=subprocess.DEVNULL)
    while process.poll() is None and (not journal.exists() or journal.read_bytes().count(b"\n") < 5):
        time.sleep(0.005)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert not (tmp_path / "out.csv").exists()
    done = run(*arguments)
    assert done.returncode == 0, done.stderr
    assert "resumed at row" in done.stderr
    assert (tmp_path / "out.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()


MEASURE = """
import resource, sys
from pathlib import Path
from score_tables import FormulaEngine
from ekiben.score import Job, LocalScorer, Options
scorer = LocalScorer("credit:v1", FormulaEngine(), None, {}, in_flight=2)
Job(scorer, Path(sys.argv[1]), Path(sys.argv[2]), Options(chunk_rows=5000)).run()
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.parametrize("form", ["csv", "parquet", "ndjson"])
def test_memory_does_not_grow_with_the_table(tmp_path, form):
    """Eight times the rows, in a Parquet file of a single row group."""
    peaks_kb = []
    rows = table(25_000)
    for times in (1, 8):
        source = tmp_path / f"in{times}.{form}"
        if form == "parquet":
            pq.write_table(pa.concat_tables([rows] * times).combine_chunks(), source)
        else:
            write(rows, source)
            head, _, body = (
                source.read_bytes().partition(b"\n") if form == "csv" else (b"", b"", source.read_bytes())
            )
            source.write_bytes(head + b"\n" * (form == "csv") + body * times)
        measure = [sys.executable, "-c", MEASURE, str(source), str(tmp_path / f"out{times}.parquet")]
        folder = str(ekiben.__path__[0]) + "/../tests"
        done = subprocess.run(
            measure, capture_output=True, text=True, check=True, env={**os.environ, "PYTHONPATH": folder}
        )
        peaks_kb.append(int(done.stdout))
        assert pq.ParquetFile(tmp_path / f"out{times}.parquet").metadata.num_rows == 25_000 * times
    small, large = peaks_kb
    # As a table in memory, the 175 000 further rows alone would take more than 60 MB.
    assert large - small < 40_000


@pytest.mark.parametrize(
    "rows", ['{"x": 1, "n": 4, "colour": "red", "y": 0}', '[{"x": 1, "n": 4, "colour": "red", "y": 0}]']
)
def test_a_row_is_predicted_on_the_command_line(model, run, rows):
    done = run("predict", "forest", rows)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    answer = answer[0] if rows.startswith("[") else answer
    assert answer["prediction"] == "bad"
    from_stdin = run("predict", "forest", "-", stdin=rows.encode())
    assert from_stdin.stdout == done.stdout


def test_a_row_is_predicted_by_a_server(run):
    with FaultServer() as server:
        done = run("predict", "credit", '{"x": 9, "n": 4, "colour": "red"}', "--url", server.url)
        assert json.loads(done.stdout)["prediction"] == 1
        done = run("predict", "credit", '{"x": 9, "n": 4, "colour": "rde"}', "--url", server.url)
        assert done.returncode == 2
        assert 'did you mean "red"?' in done.stderr
        done = run("predict", "credit", "{", "--url", server.url)
        assert done.returncode == 2
        assert "not JSON" in done.stderr
