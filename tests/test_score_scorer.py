from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from fault_server import SIGNATURE, Fault, FaultServer, answer_of, problem
from score_tables import FORMS, FormulaEngine, errors_of, score, table, write

from ekiben.client import Client
from ekiben.errors import ClientError, EngineError, InputError, OverloadedError, Problem, RowError
from ekiben.score import Job, LocalScorer, Options, RemoteScorer

if TYPE_CHECKING:
    from pathlib import Path


def score_remotely(url: str, source: Path, target: Path, *, fields=None, on_progress=None, **options):
    """Score a file through a server."""
    with Client(url, backoff_s=0.01, timeout_s=5.0, chunk_rows=30, in_flight=2) as client:
        job = Job(RemoteScorer(client, "credit", fields), source, target, Options(**options))
        return job.run(on_progress) if on_progress else job.run()


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("fields", [None, ("prediction", "probabilities")])
def test_a_server_and_this_process_write_the_same_file(tmp_path, form, fields):
    source = write(table(300), tmp_path / f"in.{form}")
    score(source, tmp_path / f"here.{form}", fields=fields, chunk_rows=70)
    with FaultServer() as server:
        score_remotely(server.url, source, tmp_path / f"there.{form}", fields=fields, chunk_rows=70)
    assert (tmp_path / f"here.{form}").read_bytes() == (tmp_path / f"there.{form}").read_bytes()


def test_a_row_that_only_the_server_refuses_is_listed_like_any_other(tmp_path):
    rows = table(100)

    def judge(given):
        refused = [number for number, row in enumerate(given) if row["n"] == 3 and row["colour"] == "blue"]
        return problem(RowError(refused[0], "it cannot be"), 422) if refused else None

    with FaultServer(judge=judge) as server:
        summary = score_remotely(server.url, write(rows, tmp_path / "in.csv"), tmp_path / "out.csv")
    wanted = [
        number for number, row in enumerate(rows.to_pylist()) if row["n"] == 3 and row["colour"] == "blue"
    ]
    assert errors_of(tmp_path / "out.csv") == dict.fromkeys(
        wanted, "the model cannot answer it: it cannot be"
    )
    assert summary.scored == 100 - len(wanted)


def test_a_row_that_only_the_server_finds_invalid_is_listed_with_its_words(tmp_path):
    def judge(given):
        found = [
            Problem(message=f"row {number}: column 'n' is 4; expected less", row=number, column="n")
            for number, row in enumerate(given)
            if row["n"] == 4
        ]
        return problem(InputError(found), 422) if found else None

    with FaultServer(judge=judge) as server:
        score_remotely(server.url, write(table(20), tmp_path / "in.csv"), tmp_path / "out.csv")
    assert errors_of(tmp_path / "out.csv") == dict.fromkeys((4, 9, 14, 19), "column 'n' is 4; expected less")


def test_a_server_that_is_busy_or_cut_off_for_a_moment_only_costs_time(tmp_path):
    source = write(table(200), tmp_path / "in.csv")
    score(source, tmp_path / "here.csv")
    busy = problem(OverloadedError("full", 0.01), 503, **{"retry-after": "0"})
    with FaultServer(
        busy, Fault(cut="before"), Fault(), Fault(cut="within"), Fault(502, b"<html>")
    ) as server:
        score_remotely(server.url, source, tmp_path / "there.csv", chunk_rows=60)
    assert (tmp_path / "here.csv").read_bytes() == (tmp_path / "there.csv").read_bytes()


def test_a_server_that_stays_away_can_be_waited_for_and_gone_on_with(tmp_path):
    source = write(table(200), tmp_path / "in.csv")
    score(source, tmp_path / "here.csv")
    broken = problem(EngineError("it broke"), 500)
    with FaultServer(*[Fault()] * 4, *[broken] * 100) as server:
        with pytest.raises(EngineError, match="it broke"):
            score_remotely(server.url, source, tmp_path / "there.csv", chunk_rows=60)
        server.faults.clear()
        summary = score_remotely(server.url, source, tmp_path / "there.csv", chunk_rows=60, resume=True)
    assert summary.resumed_at_row in {60, 120}
    assert (tmp_path / "here.csv").read_bytes() == (tmp_path / "there.csv").read_bytes()


def test_a_run_that_began_here_may_go_on_with_a_server_of_the_same_version(tmp_path):
    source = write(table(200), tmp_path / "in.csv")
    score(source, tmp_path / "here.csv")

    def stop(progress):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        score(source, tmp_path / "out.csv", on_progress=stop, chunk_rows=50)
    with FaultServer() as server:
        assert score_remotely(server.url, source, tmp_path / "out.csv", resume=True).resumed_at_row == 50
    assert (tmp_path / "here.csv").read_bytes() == (tmp_path / "out.csv").read_bytes()


@pytest.mark.parametrize("is_refused", [False, True])
def test_a_version_that_changes_in_the_middle_is_an_error(tmp_path, is_refused):
    def judge(given):
        if len(server.predictions) < 3:
            return None
        server.version = "v2"
        return problem(InputError([Problem(message="row 0: no", row=0)]), 422) if is_refused else None

    with FaultServer(judge=judge) as server:
        source = write(table(300), tmp_path / "in.csv")
        with pytest.raises(ClientError, match=r"credit:v1 was replaced by credit:v2 .* --restart"):
            score_remotely(server.url, source, tmp_path / "out.csv", chunk_rows=60)
    assert not (tmp_path / "out.csv").exists()


def test_labels_that_are_texts_are_written_as_texts(tmp_path):
    words = SIGNATURE.with_output(classes=("no", "yes"), positive="no")

    class Words(FormulaEngine):
        def predict_frame(self, frame, fields=None):
            found = super().predict_frame(frame, fields)
            return type(found)(found.prediction.astype(str).astype(object), found.probabilities)

    source = write(table(3), tmp_path / "in.csv")
    score(
        source,
        tmp_path / "out.csv",
        Words(signature=words),
        keep="none",
        fields=("probability", "probabilities"),
    )
    lines = (tmp_path / "out.csv").read_text().splitlines()
    assert lines[0] == "prediction,probability,probability_no,probability_yes"
    _, positive, no, _ = lines[1].split(",")
    assert positive == no


def test_an_engine_that_loses_rows_is_noticed(tmp_path):
    class Losing(FormulaEngine):
        def predict_frame(self, frame, fields=None):
            return super().predict_frame(frame, fields)[:-1]

    with pytest.raises(EngineError, match="gave 9 answers for 10 rows"):
        score(write(table(10), tmp_path / "in.csv"), tmp_path / "out.csv", Losing())


def test_both_scorers_say_what_the_journal_has_to_know():
    local = LocalScorer("credit:v1", FormulaEngine(), None, {"threshold": None})
    with FaultServer() as server, Client(server.url) as client:
        remote = RemoteScorer(client, "credit")
    for member in ("tag", "signature", "columns", "settings"):
        assert getattr(local, member) == getattr(remote, member)


def test_the_answers_of_the_formula_are_those_of_the_server():
    rows = table(10).select(["x", "n", "colour"]).to_pylist()
    found = FormulaEngine().predict_rows(SIGNATURE.check_records(rows)).answers(SIGNATURE.output)
    assert found == [answer_of(row) for row in rows]
