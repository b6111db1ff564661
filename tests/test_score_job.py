from __future__ import annotations

import subprocess
import sys

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fault_server import SIGNATURE
from hypothesis import given, settings
from hypothesis import strategies as st
from score_tables import FORMS, FormulaEngine, errors_of, expected, read, score, table, write

from ekiben.engine import Predictions
from ekiben.errors import EkibenError, EngineError, InputError, TableError
from ekiben.score import Job, LocalScorer, Options
from ekiben.signature import Signature

ANSWERS = ["prediction", "probability"]


def test_importing_the_scoring_of_files_imports_neither_bentoml_nor_scikit_learn():
    code = (
        "import sys, ekiben.score.part, ekiben.score.csv_source; "
        "print([name for name in ('bentoml', 'sklearn', 'xgboost') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("given_form", FORMS)
@pytest.mark.parametrize("wanted_form", FORMS)
def test_every_form_becomes_every_form(tmp_path, given_form, wanted_form):
    rows = table(200)
    target = tmp_path / f"out.{wanted_form}"
    summary = score(write(rows, tmp_path / f"in.{given_form}"), target, chunk_rows=33)
    found = read(target)
    assert list(found.columns) == ["id", "batch", "note", *ANSWERS]
    pd.testing.assert_frame_equal(found[ANSWERS], expected(rows), check_exact=True)
    assert found["id"].tolist() == rows["id"].to_pylist()
    assert found["batch"].astype(int).tolist() == rows["batch"].to_pylist()
    assert (
        found["note"].astype(object).where(found["note"].notna(), None).tolist() == rows["note"].to_pylist()
    )
    assert (summary.rows, summary.scored, summary.refused, summary.errors) == (200, 200, 0, None)
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("out")] == [target.name]


@pytest.mark.parametrize(
    ("keep", "before"),
    [("ids", ["id", "batch", "note"]), ("all", ["id", "n", "batch", "colour", "x", "note"]), ("none", [])],
)
@pytest.mark.parametrize("form", ["csv", "ndjson", "parquet"])
def test_the_columns_that_are_kept_come_first_in_the_order_of_the_file(tmp_path, keep, before, form):
    rows = table(20)
    target = tmp_path / f"out.{form}"
    score(write(rows, tmp_path / f"in.{form}"), target, keep=keep)
    found = read(target)
    assert list(found.columns) == [*before, *ANSWERS]
    if keep == "all":
        assert found["n"].astype(int).tolist() == rows["n"].to_pylist()
        assert [None if pd.isna(value) else float(value) for value in found["x"]] == rows["x"].to_pylist()


def test_types_of_identifiers_are_those_of_the_file(tmp_path):
    rows = table(50).append_column("when", pa.array(range(50), pa.timestamp("ms", "Europe/Paris")))
    rows = rows.append_column("tags", pa.array([["a"], []] * 25)).append_column(
        "price", pa.array(range(50), pa.decimal128(9, 2))
    )
    score(write(rows, tmp_path / "in.parquet"), tmp_path / "out.parquet", chunk_rows=7)
    found = pq.read_table(tmp_path / "out.parquet")
    kept = ["id", "batch", "note", "when", "tags", "price"]
    assert found.select(kept).equals(rows.select(kept))


def test_what_csv_cannot_hold_is_refused_before_anything_is_done(tmp_path):
    rows = table(5).append_column("tags", pa.array([["a"]] * 5))
    source = write(rows, tmp_path / "in.parquet")
    with pytest.raises(TableError, match=r"'tags' .*--keep none"):
        score(source, tmp_path / "out.csv")
    assert list(tmp_path.iterdir()) == [source]
    assert score(source, tmp_path / "out.csv", keep="none").scored == 5


def test_identifiers_of_ndjson_stay_what_they_are(tmp_path):
    lines = [
        '{"n":1,"colour":"red","k":{"a":[1,2]},"i":1,"f":1,"s":"1","m":1,"b":true,"z":null}',
        '{"n":1,"colour":"red","k":null,"i":9007199254740993,"f":0.5,"s":"é","m":"1","b":false,"z":null,"x":1}',
    ]
    (tmp_path / "in.ndjson").write_text("\n".join(lines))
    score(tmp_path / "in.ndjson", tmp_path / "out.ndjson", chunk_rows=1)
    first, second = (tmp_path / "out.ndjson").read_text().splitlines()
    assert first.startswith('{"k":{"a":[1,2]},"i":1,"f":1.0,"s":"1","m":1,"b":true,"z":null,"prediction":')
    assert second.startswith(
        '{"k":null,"i":9007199254740993,"f":0.5,"s":"é","m":"1","b":false,"z":null,"prediction":'
    )
    score(tmp_path / "in.ndjson", tmp_path / "out.parquet")
    found = pq.read_table(tmp_path / "out.parquet").to_pylist()
    assert [row["k"] for row in found] == ['{"a":[1,2]}', None]
    assert [row["i"] for row in found] == [1, 9007199254740993]


def test_probabilities_of_all_classes_have_a_column_each(tmp_path):
    source = write(table(10), tmp_path / "in.csv")
    score(source, tmp_path / "out.csv", fields=("probabilities",), keep="none")
    found = pd.read_csv(tmp_path / "out.csv")
    assert list(found.columns) == ["prediction", "probability_0", "probability_1"]
    assert (found.probability_0 + found.probability_1).between(0.999, 1.001).all()


def test_an_answer_that_the_model_has_not_is_refused(tmp_path):
    source = write(table(10), tmp_path / "in.csv")
    with pytest.raises(InputError, match="score"):
        score(source, tmp_path / "out.csv", fields=("score",))


@settings(max_examples=25, deadline=None)
@given(chunk_rows=st.integers(1, 130), form=st.sampled_from(["csv", "ndjson", "parquet"]))
def test_the_size_of_the_parts_does_not_change_the_result(tmp_path_factory, chunk_rows, form):
    folder = tmp_path_factory.mktemp("parts")
    source = folder / f"in.{form}"
    write(table(120), source)
    if form == "csv":
        lines = source.read_bytes().split(b"\n")
        lines[7:7] = [b"too,few"]
        lines[50:50] = [b'"x","two","3","red",1.0,']
        source.write_bytes(b"\n".join(lines) + b"too,few\n")
    outcome = {}
    for name, rows in (("whole", 10_000), ("parts", chunk_rows)):
        target = folder / f"{name}.{form}"
        summary = score(source, target, chunk_rows=rows)
        errors = target.with_name(target.name + ".errors.csv")
        content = pq.read_table(target) if form == "parquet" else target.read_bytes()
        outcome[name] = (
            content,
            errors.read_bytes() if errors.exists() else b"",
            summary.rows,
            summary.scored,
        )
    assert outcome["whole"] == outcome["parts"]


def test_rows_that_do_not_fit_are_listed_with_all_reasons_and_the_rest_is_scored(tmp_path):
    (tmp_path / "in.csv").write_bytes(
        b"id,x,n,colour\n"
        b"a,1.0,1,red\n"  # 0
        b"b,one,1.5,rde\n"  # 1: three problems
        b"\n"  # no row
        b"c,,2,blue\n"  # 2
        b"d,1,2\n"  # 3: too few cells
        b"e,NA,,green\n"  # 4: n is missing
        b"f,1,2,red,5\n"  # 5: too many cells
        b"\xff,1,2,red\n"  # 6: not UTF-8, and an identifier
        b"h,1,2,\xff\n"  # 7: not UTF-8
        b"i,1e3,+7,green\n"  # 8
    )
    summary = score(tmp_path / "in.csv", tmp_path / "out.csv", chunk_rows=2)
    assert (summary.rows, summary.scored, summary.refused) == (9, 3, 6)
    assert pd.read_csv(tmp_path / "out.csv")["id"].tolist() == ["a", "c", "i"]
    errors = errors_of(tmp_path / "out.csv")
    assert list(errors) == [1, 3, 4, 5, 6, 7]
    assert errors[1] == (
        "column 'x' is \"one\"; expected a number; column 'n' is 1.5; expected a whole number; "
        'column \'colour\' is "rde"; expected one of "red", "green", "blue"; did you mean "red"?'
    )
    assert errors[3] == "the row has 3 cells; expected 4"
    assert errors[4].startswith("column 'n' is null")
    assert errors[5] == "the row has 5 cells; expected 4"
    assert "UTF-8" in errors[6]
    assert "'colour'" in errors[7]


def test_lines_that_are_no_records_are_listed(tmp_path):
    (tmp_path / "in.ndjson").write_bytes(
        b'{"n":1,"colour":"red","x":1}\n[1]\n\n{"n":\n{"n":"1","colour":"red"}\n\xff\n{"n":2,"colour":"red"}\nNaN\n'
    )
    summary = score(tmp_path / "in.ndjson", tmp_path / "out.csv", chunk_rows=2)
    assert (summary.rows, summary.scored) == (7, 2)
    errors = errors_of(tmp_path / "out.csv")
    assert list(errors) == [1, 2, 3, 4, 6]
    assert errors[1] == "the line is [1]; expected a JSON record"
    assert "not JSON" in errors[2]
    assert errors[3] == "column 'n' is \"1\"; expected a whole number; write it without quotes"


def test_rows_that_the_model_refuses_are_found_among_the_others(tmp_path):
    rows = table(100)
    engine = FormulaEngine(refuses=(3,))
    summary = score(write(rows, tmp_path / "in.parquet"), tmp_path / "out.csv", engine, chunk_rows=40)
    assert (summary.scored, summary.refused) == (80, 20)
    errors = errors_of(tmp_path / "out.csv")
    assert list(errors) == [row for row, n in enumerate(rows["n"].to_pylist()) if n == 3]
    assert set(errors.values()) == {"the model cannot answer it: ValueError: this cannot be"}
    answered = expected(rows).drop(index=list(errors)).reset_index(drop=True)
    pd.testing.assert_frame_equal(read(tmp_path / "out.csv")[ANSWERS], answered)


def test_a_model_that_is_broken_stops_the_job_instead_of_refusing_every_row(tmp_path):
    engine = FormulaEngine(is_broken=True)
    with pytest.raises(EngineError, match="the model fails: ValueError: this cannot be"):
        score(write(table(64), tmp_path / "in.csv"), tmp_path / "out.csv", engine)
    assert engine.calls < 20
    assert not (tmp_path / "out.csv").exists()


@pytest.mark.parametrize("form", ["csv", "parquet", "arrow"])
def test_a_table_without_rows_becomes_one_without_rows(tmp_path, form):
    summary = score(write(table(0), tmp_path / f"in.{form}"), tmp_path / f"out.{form}")
    assert summary.rows == 0
    assert list(read(tmp_path / f"out.{form}").columns) == ["id", "batch", "note", *ANSWERS]


def test_all_rows_refused_leaves_a_table_without_rows(tmp_path):
    (tmp_path / "in.csv").write_text("x,n,colour\n1,a,red\n2,b,red\n")
    assert score(tmp_path / "in.csv", tmp_path / "out.csv").refused == 2
    assert (tmp_path / "out.csv").read_text() == "prediction,probability\n"


def test_a_missing_column_is_named_with_what_may_be_meant(tmp_path):
    (tmp_path / "in.csv").write_text("X,n,color,id\n1,1,red,a\n")
    with pytest.raises(TableError) as caught:
        score(tmp_path / "in.csv", tmp_path / "out.csv")
    assert "lacks the columns 'x', 'colour' that the model takes; did you mean 'X' by 'x'?" in str(
        caught.value
    )
    assert [path.name for path in tmp_path.iterdir()] == ["in.csv"]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("in.csv", b"", "is empty"),
        ("in.ndjson", b"\n\n", "is empty"),
        ("in.csv", b"x,x,n,colour\n1,1,1,red\n", "several columns called 'x'"),
        ("in.csv", b"\xe4,n\n", "not UTF-8"),
        ("in.csv", "x,n\n".encode("utf-16"), "UTF-16, not UTF-8"),
        ("in.parquet", b"no such thing", "cannot be read as Parquet"),
        ("in.arrow", b"no such thing", "cannot be read as Arrow"),
        ("in.xlsx", b"", "expected a file that ends in .csv"),
        ("in.parqet", b"", r"did you mean .*in\.parquet\?"),
    ],
)
def test_a_file_that_cannot_be_read_is_told_before_anything_is_done(tmp_path, name, content, said):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(TableError, match=said):
        score(tmp_path / name, tmp_path / "out.csv")
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_file_that_is_not_there_is_told_with_the_nearest_name(tmp_path):
    write(table(1), tmp_path / "customers.csv")
    with pytest.raises(TableError, match=r"did you mean .*customers\.csv\?"):
        score(tmp_path / "customer.csv", tmp_path / "out.csv")


def test_a_file_that_ends_too_early_is_an_error_and_not_a_short_result(tmp_path):
    source = write(table(3000), tmp_path / "in.arrows")
    source.write_bytes(source.read_bytes()[:-300])
    with pytest.raises(TableError, match="cannot be read behind row"):
        score(source, tmp_path / "out.csv")
    assert not (tmp_path / "out.csv").exists()


@pytest.mark.parametrize("separator", [";", "\t", "|"])
def test_the_separator_is_seen_in_the_first_line(tmp_path, separator):
    text = 'id,x,n,colour\n"a,b",1.5,2,red\nc,,3,blue\n'.replace(",", separator).replace(
        f"a{separator}b", "a,b"
    )
    (tmp_path / "in.csv").write_text(text)
    score(tmp_path / "in.csv", tmp_path / "out.csv")
    assert read(tmp_path / "out.csv")["id"].tolist() == ["a,b", "c"]


def test_line_ends_and_a_mark_of_windows_are_no_trouble(tmp_path):
    (tmp_path / "in.csv").write_bytes(b"\xef\xbb\xbfx,n,colour\r\n1,1,red\r\n,2,blue\r\n")
    assert score(tmp_path / "in.csv", tmp_path / "out.csv").scored == 2


def test_a_line_of_names_alone_is_a_table_without_rows(tmp_path):
    (tmp_path / "in.csv").write_text("x,n,colour")
    assert score(tmp_path / "in.csv", tmp_path / "out.csv").rows == 0


@pytest.mark.parametrize("lines_behind", [1, 300_000])
@pytest.mark.parametrize("keep", ["ids", "none"])
def test_a_quote_that_is_never_closed_does_not_swallow_the_rows_behind_it(tmp_path, lines_behind, keep):
    (tmp_path / "in.csv").write_text(
        "x,n,colour,id\n" + "1,1,red,a\n" * 5 + '1,1,red,"a\n' + "1,1,red,a\n" * lines_behind
    )
    with pytest.raises(TableError, match=r"quote (that is )?opened .*never closed"):
        score(tmp_path / "in.csv", tmp_path / "out.csv", keep=keep)
    assert not (tmp_path / "out.csv").exists()


def test_a_quote_within_a_cell_is_a_quote(tmp_path):
    (tmp_path / "in.csv").write_text('x,n,colour,id\n1,1,red,5" pipe\n1,2,red,"say ""hi"""\n')
    score(tmp_path / "in.csv", tmp_path / "out.ndjson")
    assert read(tmp_path / "out.ndjson")["id"].tolist() == ['5" pipe', 'say "hi"']


def test_a_single_column_may_have_empty_lines(tmp_path):
    one = SIGNATURE.columns[0]
    signature = Signature(columns=(one,), output=SIGNATURE.output, example={"x": 1.0}, container="pandas")

    class Half(FormulaEngine):
        def predict_frame(self, frame, fields=None):
            return Predictions(np.zeros(len(frame), dtype=int), np.full((len(frame), 2), 0.5))

    (tmp_path / "in.csv").write_text("x\n1\n\n3\n")
    assert score(tmp_path / "in.csv", tmp_path / "out.csv", Half(signature=signature)).rows == 3


def test_an_output_that_is_there_is_only_replaced_if_asked_for(tmp_path):
    source = write(table(5), tmp_path / "in.csv")
    (tmp_path / "out.csv").write_text("precious")
    (tmp_path / "out.csv.errors.csv").write_text("of before")
    with pytest.raises(TableError, match="--overwrite"):
        score(source, tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_text() == "precious"
    score(source, tmp_path / "out.csv", overwrite=True)
    assert len(read(tmp_path / "out.csv")) == 5
    assert not (tmp_path / "out.csv.errors.csv").exists()


def test_the_input_is_not_overwritten(tmp_path):
    source = write(table(5), tmp_path / "in.csv")
    with pytest.raises(TableError, match="is the input"):
        score(source, source, overwrite=True)


def test_a_folder_that_is_not_there_and_a_form_that_is_not_written_are_told(tmp_path):
    source = write(table(5), tmp_path / "in.csv")
    with pytest.raises(TableError, match="is no folder"):
        score(source, tmp_path / "nowhere" / "out.csv")
    with pytest.raises(TableError, match=r"ends in \.csv"):
        score(source, tmp_path / "out.tsv")


def test_a_column_called_like_an_answer_is_told(tmp_path):
    source = write(table(5).append_column("prediction", pa.array([1] * 5)), tmp_path / "in.csv")
    with pytest.raises(TableError, match="'prediction' of the input is called like an answer"):
        score(source, tmp_path / "out.csv")
    assert score(source, tmp_path / "out.csv", keep="none").scored == 5


def test_a_column_of_whole_numbers_with_gaps_is_still_one(tmp_path):
    rows = pa.table({"x": pa.array([1, None, 2**60]), "n": pa.array([1, None, 3]), "colour": ["red"] * 3})
    score(write(rows, tmp_path / "in.parquet"), tmp_path / "out.csv")
    assert list(errors_of(tmp_path / "out.csv")) == [1]


def test_progress_is_told(tmp_path):
    told = []
    score(
        write(table(100), tmp_path / "in.parquet"),
        tmp_path / "out.csv",
        on_progress=told.append,
        chunk_rows=30,
    )
    assert [progress.rows for progress in told] == [30, 60, 90, 100]
    assert told[-1].share == 1.0


def test_two_runs_to_one_output_do_not_meet(tmp_path):
    source = write(table(50), tmp_path / "in.csv")

    def interfere(progress):
        with pytest.raises(EkibenError, match="another process is scoring"):
            score(source, tmp_path / "out.csv", resume=True)

    assert score(source, tmp_path / "out.csv", on_progress=interfere, chunk_rows=10).scored == 50


def test_wide_tables_are_cut_into_smaller_parts(tmp_path):
    sizes = []

    class Watching(FormulaEngine):
        def predict_frame(self, frame, fields=None):
            sizes.append(len(frame))
            return super().predict_frame(frame, fields)

    rows = table(3000)
    for number in range(1500):
        rows = rows.append_column(f"extra{number}", pa.array([None] * 3000, pa.int8()))
    pq.write_table(rows, tmp_path / "in.parquet")
    job = Job(
        LocalScorer("m:1", Watching()), tmp_path / "in.parquet", tmp_path / "out.csv", Options(keep="none")
    )
    job.run()
    assert max(sizes) < 2000
