from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from score_tables import FORMS, FormulaEngine, read, score, table, write

from ekiben.errors import TableError
from ekiben.score import Job, LocalScorer, Options
from ekiben.score.journal import Journal

TAIL = st.binary(max_size=30)

WORKER = Path(__file__).with_name("score_worker.py")


class KilledError(BaseException):
    """Stands for the end of a process at some point."""


def killed_after(parts):
    """Return what ends a run after that many parts."""
    seen = []

    def on_progress(progress):
        seen.append(progress)
        if len(seen) == parts:
            raise KilledError

    return on_progress


def bad_rows(path):
    """Write a CSV file with some rows that are refused."""
    write(table(400), path)
    lines = path.read_bytes().split(b"\n")
    for line in (5, 60, 61, 200):
        lines[line:line] = [b"too,few"]
    path.write_bytes(b"\n".join(lines))
    return path


def outcome(target):
    """What a finished run leaves, for comparison."""
    errors = target.with_name(target.name + ".errors.csv")
    assert not target.with_name(target.name + ".part").exists()
    content = target.read_bytes() if target.suffix in {".csv", ".ndjson"} else read(target).to_dict("list")
    return content, errors.read_bytes() if errors.exists() else None


@settings(max_examples=30, deadline=None)
@given(
    form=st.sampled_from(FORMS),
    kills=st.lists(st.integers(1, 6), min_size=1, max_size=3),
    tails=st.tuples(TAIL, TAIL, TAIL.filter(lambda tail: b"\n" not in tail)),
)
def test_whatever_a_killed_run_left_behind_the_result_is_the_same(tmp_path_factory, form, kills, tails):
    folder = tmp_path_factory.mktemp("killed")
    source = bad_rows(folder / "in.csv")
    whole, target = folder / f"whole.{form}", folder / f"out.{form}"
    score(source, whole, chunk_rows=50)
    for parts in kills:
        if target.exists():
            break
        try:
            score(source, target, on_progress=killed_after(parts), chunk_rows=30, resume=True)
        except KilledError:
            part = folder / f"out.{form}.part"
            for name, tail in zip(("rows", "errors", "journal"), tails, strict=True):
                with (part / name).open("ab") as file:
                    file.write(tail)
    if not target.exists():
        summary = score(source, target, chunk_rows=40, resume=True)
        assert summary.resumed_at_row > 0
        assert summary.rows == 404
    assert outcome(target) == outcome(whole)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("step", ["Sink.finish", "Journal.remove"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_run_killed_while_it_is_finished_is_finished_by_the_next(tmp_path, monkeypatch, form, step, when):
    source = bad_rows(tmp_path / "in.csv")
    target = tmp_path / f"out.{form}"
    score(source, tmp_path / f"whole.{form}")
    kind = Journal if step == "Journal.remove" else __import__("ekiben.score.sink", fromlist=["Sink"]).Sink
    real = getattr(kind, step.partition(".")[2])

    def die(self, *arguments):
        if when == "after" and step == "Sink.finish":
            real(self, *arguments)
        raise KilledError

    with monkeypatch.context() as patch:
        patch.setattr(kind, step.partition(".")[2], die)
        with pytest.raises(KilledError):
            score(source, target)
    summary = score(source, target, resume=True)
    assert (summary.rows, summary.refused) == (404, 4)
    assert outcome(target) == outcome(tmp_path / f"whole.{form}")


@pytest.mark.parametrize("form", ["csv", "parquet", "ndjson"])
def test_a_run_killed_by_the_system_again_and_again_gives_the_same_result(tmp_path, form):
    source = write(table(3000), tmp_path / f"in.{form}")
    target = tmp_path / f"out.{form}"
    score(source, tmp_path / f"whole.{form}")
    command = [sys.executable, str(WORKER), str(source), str(target), "100", "0.04"]
    dice = random.Random(7)
    kills = 0
    while not target.exists():
        journal = tmp_path / f"out.{form}.part" / "journal"
        before = journal.stat().st_size if journal.exists() else 0
        process = subprocess.Popen(command)
        while process.poll() is None and (not journal.exists() or journal.stat().st_size <= before):
            time.sleep(0.005)
        time.sleep(dice.random() * 0.25)
        if kills < 3:
            os.kill(process.pid, signal.SIGKILL)
            kills += 1
        assert process.wait(60) in {0, -signal.SIGKILL}
    assert kills >= 2
    assert outcome(target) == outcome(tmp_path / f"whole.{form}")


def unfinished(tmp_path, **options):
    """Leave an unfinished run behind."""
    source = write(table(100), tmp_path / "in.csv")
    with pytest.raises(KilledError):
        score(source, tmp_path / "out.csv", on_progress=killed_after(2), chunk_rows=10, **options)
    return source


def test_an_unfinished_run_is_not_forgotten_and_both_ways_out_are_told(tmp_path):
    source = unfinished(tmp_path)
    with pytest.raises(TableError, match=r"out\.csv\.part: go on with it by --resume, or .* --restart"):
        score(source, tmp_path / "out.csv")
    with pytest.raises(TableError, match="--resume"):
        score(source, tmp_path / "out.csv", overwrite=True)


def test_a_restart_begins_anew(tmp_path):
    source = unfinished(tmp_path)
    write(table(50), source)
    summary = score(source, tmp_path / "out.csv", restart=True)
    assert (summary.rows, summary.resumed_at_row) == (50, 0)


def test_a_resume_without_an_unfinished_run_begins_at_the_first_row(tmp_path):
    source = write(table(50), tmp_path / "in.csv")
    assert score(source, tmp_path / "out.csv", resume=True).resumed_at_row == 0
    with pytest.raises(TableError, match="--overwrite"):
        score(source, tmp_path / "out.csv", resume=True)


def test_only_what_is_left_is_scored(tmp_path):
    source = unfinished(tmp_path)
    engine = FormulaEngine()
    summary = score(source, tmp_path / "out.csv", engine, chunk_rows=10, resume=True)
    assert summary.resumed_at_row == 20
    assert engine.calls == 8


def test_a_run_that_was_to_replace_an_output_may_still_do_so(tmp_path):
    (tmp_path / "out.csv").write_text("old")
    source = unfinished(tmp_path, overwrite=True)
    assert (tmp_path / "out.csv").read_text() == "old"
    assert score(source, tmp_path / "out.csv", resume=True).scored == 100
    assert (tmp_path / "out.csv").read_text() != "old"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("content", "size of the input was"),
        ("time", "time of change of the input was"),
        ("model", "model was 'credit:v1' and is 'credit:v2'"),
        ("threshold", "threshold of the settings was None and is 0.3"),
        ("keep", "keep of the settings was 'ids' and is 'all'"),
        ("fields", "answers of the settings was"),
    ],
)
def test_a_run_of_something_else_is_not_resumed(tmp_path, change, said):
    source = unfinished(tmp_path)
    if change == "content":
        source.write_bytes(source.read_bytes() + b'"z",1,1,"red",1.0,\n')
    if change == "time":
        os.utime(source, ns=(1, 1))
    scorer = LocalScorer(
        "credit:v2" if change == "model" else "credit:v1",
        FormulaEngine(),
        ("prediction",) if change == "fields" else None,
        {"threshold": 0.3 if change == "threshold" else None},
    )
    options = Options(keep="all" if change == "keep" else "ids", resume=True)
    with pytest.raises(TableError, match="cannot be resumed") as caught:
        Job(scorer, source, tmp_path / "out.csv", options).run()
    assert said in str(caught.value)
    assert "--restart" in str(caught.value)


def test_another_form_of_the_output_is_another_run(tmp_path):
    source = unfinished(tmp_path)
    assert score(source, tmp_path / "out.parquet", resume=True).resumed_at_row == 0


@pytest.mark.parametrize("name", ["rows", "errors"])
def test_files_that_are_shorter_than_the_journal_says_are_not_gone_on_with(tmp_path, name):
    source = unfinished(tmp_path)
    file = tmp_path / "out.csv.part" / name
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(TableError, match=f"{name} is shorter than the journal says"):
        score(source, tmp_path / "out.csv", resume=True)


def test_a_journal_that_is_none_is_told(tmp_path):
    source = unfinished(tmp_path)
    (tmp_path / "out.csv.part" / "journal").write_bytes(b"{}\n[]\n")
    with pytest.raises(TableError, match=r"cannot be read .* --restart"):
        score(source, tmp_path / "out.csv", resume=True)


def test_a_journal_of_protocol_1_stays_readable(tmp_path):
    """The journal of a version that wrote protocol 1; a change that breaks it wants a new number."""
    part = tmp_path / "out.csv.part"
    part.mkdir()
    (part / "rows").write_bytes(b"prediction,probability\n1,0.75\n")
    (part / "errors").write_bytes(b"row_from_0,reason\n")
    source = tmp_path / "in.csv"
    source.write_text("x,n,colour\n0,1,red\n0,1,red\n")
    found = source.stat()
    task = {
        "model": "credit:v1",
        "input": {
            "size": found.st_size,
            "time of change": found.st_mtime_ns,
            "columns": {"x": "text", "n": "text", "colour": "text"},
        },
        "settings": {
            "form": "csv",
            "keep": "ids",
            "answers": ["prediction", "probability"],
            "threshold": None,
        },
        "protocol": 1,
    }
    mark = {"rows": 1, "scored": 1, "refused": 0, "rows_bytes": 30, "errors_bytes": 18, "end": False}
    (part / "journal").write_bytes(msgspec.json.encode(task) + b"\n" + msgspec.json.encode(mark) + b"\n")
    assert score(source, tmp_path / "out.csv", resume=True).resumed_at_row == 1
    first, second = (tmp_path / "out.csv").read_text().splitlines()[1:]
    assert first == "1,0.75"
    assert second.startswith("1,0.56")


def test_a_disk_without_space_is_told_and_the_run_can_be_resumed(tmp_path):
    code = (
        "import resource, sys; sys.path.insert(0, sys.argv[1]); from pathlib import Path; import score_tables; "
        "resource.setrlimit(resource.RLIMIT_FSIZE, (9000, 9000)); import signal; "
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
        "score_tables.score(Path('in.csv'), Path('out.csv'), chunk_rows=20)"
    )
    source = write(table(400), tmp_path / "in.csv")
    command = [sys.executable, "-c", code, str(WORKER.parent)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "TableError: out.csv.part cannot be written or read: File too large" in done.stderr
    score(source, tmp_path / "whole.csv")
    assert score(source, tmp_path / "out.csv", resume=True).resumed_at_row > 0
    assert outcome(tmp_path / "out.csv") == outcome(tmp_path / "whole.csv")


def test_parquet_files_are_resumed_in_the_middle_of_a_row_group(tmp_path):
    rows = pa.concat_tables([table(100)] * 3)
    source = tmp_path / "in.parquet"
    pq.write_table(rows, source, row_group_size=70)
    score(source, tmp_path / "whole.parquet")
    with pytest.raises(KilledError):
        score(source, tmp_path / "out.parquet", on_progress=killed_after(3), chunk_rows=33)
    assert score(source, tmp_path / "out.parquet", resume=True).resumed_at_row == 99
    assert outcome(tmp_path / "out.parquet") == outcome(tmp_path / "whole.parquet")
