"""Tables and an engine for the tests of scoring: the model of `fault_server`, as arrays."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.feather
import pyarrow.parquet as pq
from fault_server import SIGNATURE

from ekiben.engine import Predictions
from ekiben.score import Job, LocalScorer, Options

if TYPE_CHECKING:
    from pathlib import Path

FORMS = ("csv", "ndjson", "parquet", "arrow", "arrows")


class FormulaEngine:
    """Answers by the formula of `fault_server.probability_of`.

    Args:
        refuses: Values of `n` that it cannot answer.
        is_broken: Whether it answers nothing at all.
    """

    def __init__(
        self, *, signature=SIGNATURE, refuses: tuple[int, ...] = (), is_broken: bool = False
    ) -> None:
        self.signature = signature
        self.refuses = refuses
        self.is_broken = is_broken
        self.calls = 0

    def predict_rows(self, rows, fields=None):
        return self.predict_frame(self.signature.frame(rows), fields)

    def predict_frame(self, frame: pd.DataFrame, fields: Any = None) -> Predictions:
        self.calls += 1
        if self.is_broken or frame["n"].isin(self.refuses).any():
            raise ValueError("this cannot be")
        colours = frame["colour"].map({"red": 0.0, "green": 1.0, "blue": 2.0}).to_numpy(dtype=float)
        z = frame["x"].fillna(0.0).to_numpy() + 0.25 * frame["n"].to_numpy() - colours
        chance = np.array([1.0 / (1.0 + math.exp(-each)) for each in z])
        return Predictions((chance >= 0.5).astype(int), np.column_stack([1.0 - chance, chance]))


def table(count: int) -> pa.Table:
    """Rows with identifiers before, between and behind the model's columns."""
    numbers = np.arange(count)
    x = numbers % 100 / 10 - 5
    return pa.table(
        {
            "id": pa.array([f"Ä-{number:05d}" for number in numbers]),
            "n": pa.array(numbers % 5),
            "batch": pa.array(numbers // 10),
            "colour": pa.array(np.array(["red", "green", "blue"])[numbers % 3]),
            "x": pa.array(x, mask=numbers % 7 == 3),
            "note": pa.array(['a, "b"\nc' if number % 11 == 0 else None for number in numbers], pa.string()),
        }
    )


def write(rows: pa.Table, path: Path) -> Path:
    """Write `rows` by the ending of `path`."""
    match path.suffix:
        case ".csv":
            pa_csv.write_csv(rows, path)
        case ".ndjson":
            path.write_text("".join(json.dumps(row) + "\n" for row in rows.to_pylist()))
        case ".parquet":
            pq.write_table(rows, path, row_group_size=37)
        case ".arrow":
            pyarrow.feather.write_feather(rows, path, chunksize=29)
        case ".arrows":
            with pa.ipc.new_stream(str(path), rows.schema) as stream:
                stream.write_table(rows, max_chunksize=23)
    return path


def read(path: Path) -> pd.DataFrame:
    """Read a scored file by its ending; identifiers of a CSV file stay text."""
    match path.suffix:
        case ".csv":
            kinds = dict.fromkeys(("id", "batch", "note", "n", "colour", "x"), str)
            return pd.read_csv(path, dtype=kinds, keep_default_na=False, na_values={"note": [""], "x": [""]})
        case ".ndjson":
            return pd.DataFrame([json.loads(line) for line in path.read_text().splitlines()])
        case ".parquet":
            return pq.read_table(path).to_pandas()
        case ".arrow":
            return pyarrow.feather.read_table(path).to_pandas()
        case _:
            with pa.ipc.open_stream(str(path)) as stream:
                return stream.read_all().to_pandas()


def score(source: Path, target: Path, engine: Any = None, on_progress: Any = None, **options: Any) -> Any:
    """Score a file in this process."""
    fields = options.get("fields")
    scorer = LocalScorer("credit:v1", engine or FormulaEngine(), fields, {"threshold": None}, in_flight=2)
    job = Job(scorer, source, target, Options(**options))
    return job.run(on_progress) if on_progress else job.run()


def expected(rows: pa.Table) -> pd.DataFrame:
    """What scoring `rows` has to answer."""
    engine = FormulaEngine()
    predictions = engine.predict_frame(rows.select(["x", "n", "colour"]).to_pandas())
    return pd.DataFrame(
        {"prediction": predictions.prediction, "probability": predictions.probabilities[:, 1]}
    )


def errors_of(target: Path) -> dict[int, str]:
    """The rows that were refused, and why."""
    found = pd.read_csv(target.with_name(target.name + ".errors.csv"))
    assert list(found.columns) == ["row_from_0", "reason"]
    return dict(zip(found["row_from_0"], found["reason"], strict=True))
