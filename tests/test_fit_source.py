"""Reading the file of a table."""

from __future__ import annotations

import gzip

import pandas as pd
import pytest

from ekiben import fit
from ekiben.errors import TableError
from ekiben.score.source import open_source


def test_a_csv_file_is_read_with_its_names_and_missing_words(tmp_path):
    path = tmp_path / "jobs.csv"
    path.write_text('"Torque [Nm]",kind,"a,b"\n1.5,L,None\nNA,,x\n', encoding="utf-8")
    frame = fit.read(path)
    assert list(frame.columns) == ["Torque [Nm]", "kind", "a,b"]
    assert frame["Torque [Nm]"].isna().tolist() == [False, True]
    assert frame["kind"].isna().tolist() == [False, True]
    assert frame["a,b"].tolist() == ["None", "x"]


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_the_separator_is_found(tmp_path, separator):
    path = tmp_path / "table.csv"
    path.write_text(separator.join("abc") + "\n" + separator.join("123") + "\n", encoding="utf-8-sig")
    assert fit.read(path).to_dict("list") == {"a": [1], "b": [2], "c": [3]}


@pytest.mark.parametrize("ending", [".csv.gz", ".parquet", ".tsv"])
def test_what_was_written_is_read_by_its_ending(tmp_path, ending):
    frame = pd.DataFrame({"x": [1, 2, 3], "y": ["a", "b", "c"]})
    path = tmp_path / f"table{ending}"
    if ending == ".parquet":
        frame.to_parquet(path)
    else:
        frame.to_csv(path, index=False, sep="\t" if ending == ".tsv" else ",")
    pd.testing.assert_frame_equal(fit.read(str(path)), frame)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("void.csv", b"", "is empty"),
        ("head.csv", b"a,b\n", "no rows"),
        ("latin.csv", "name\ncafé\n".encode("latin-1"), "not UTF-8"),
        ("ragged.csv", b"a,b\n1,2\n4,5,6\n", "line 3: 3 cells, more cells than the 2 names"),
        ("all-longer.csv", b"a,b\n1,2,3\n4,5,6\n", "line 2: 3 cells, more"),
        ("short.csv", b'a,b\n"x\ny",2\n4\n', "line 4: 1 cells, fewer"),
        ("twice.csv", b"x,x,b\n1,2,3\n", "several columns called 'x'"),
        ("utf16.csv", "a,b\n1,2\n".encode("utf-16"), "UTF-16.*iconv -f utf-16"),
        ("utf16le.csv", "a,b\n1,2\n".encode("utf-16-le"), "UTF-16"),
        ("quoted.csv", b'a,b\n"1,2\n3,4\n', "cannot be read as CSV"),
        ("broken.parquet", b"hello", "cannot be read as Parquet"),
        ("table.xlsx", b"hello", "ends in .csv"),
    ],
)
def test_a_file_that_is_no_table_is_refused_with_what_to_do(tmp_path, name, content, words):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(TableError, match=words):
        fit.read(path)


def test_a_missing_file_is_named_with_the_nearest_one(tmp_path):
    (tmp_path / "churn.csv").write_text("a\n1\n")
    with pytest.raises(TableError, match=r"did you mean .*churn\.csv"):
        fit.read(tmp_path / "chrun.csv")
    with pytest.raises(TableError, match="is a folder"):
        fit.read(tmp_path)


def test_two_columns_of_one_name_are_refused(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = tmp_path / "twice.parquet"
    pq.write_table(pa.table([[1], [2]], names=["x", "x"]), path)
    with pytest.raises(TableError, match="several columns called 'x'"):
        fit.read(path)


@pytest.mark.parametrize("content", ["a,b\n1,\n\n2,x\n   \n", "a,b\n1,\n2,x"])
def test_empty_lines_are_no_rows(tmp_path, content):
    path = tmp_path / "gaps.csv"
    path.write_text(content, encoding="utf-8")
    assert fit.read(path)["a"].tolist() == [1, 2]


def test_a_compressed_file_with_a_long_line_names_it(tmp_path):
    path = tmp_path / "ragged.csv.gz"
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.write("a,b\n1,2\n4,5,6\n")
    with pytest.raises(TableError, match="line 3: 3 cells"):
        fit.read(path)


def test_names_stay_as_they_are(tmp_path):
    path = tmp_path / "names.csv"
    path.write_text(",x,x.1, y \n1,2,3,4\n", encoding="utf-8")
    assert list(fit.read(path).columns) == ["", "x", "x.1", " y "]


def test_what_was_taken_for_missing_or_read_with_a_comma_is_said(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("a;b;c\n53,46;NA;1\n1,5;x;2\n", encoding="utf-8")
    frame = fit.read(path)
    assert frame["a"].tolist() == [53.46, 1.5]
    assert list(frame.attrs["said"]) == ["a", "b"]


def test_scoring_reads_a_file_as_learning_did(tmp_path):
    path = tmp_path / "table.csv"
    rows = [f"{n},{n % 7};0{n % 3};{n};{'NA' if n % 5 == 0 else 'DE'};{n % 2}" for n in range(100)]
    path.write_text("\n".join([";zip;n;country;y", *rows]) + "\n", encoding="utf-8")
    table = fit.prepare(fit.read(path), "y", keep=["n"])
    signature = fit.signature(table, fit.split(table))
    source = open_source(path)
    source.choose(signature.names)
    data = source.join([piece.data for piece in source.pieces(0)])
    features, refused = source.features(data, signature)
    checked = signature.check_frame(features)
    assert (refused, checked.problems) == ({}, {})
    pd.testing.assert_frame_equal(checked.frame, table.X)
