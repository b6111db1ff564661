"""Part: what becomes of one chunk of rows: checked, scored, and written as bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa

from ekiben.score.scorer import isolate
from ekiben.score.sink import csv_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ekiben.client.columns import AnswerColumn
    from ekiben.errors import Problem
    from ekiben.score.chunk import Chunk
    from ekiben.score.scorer import Scorer
    from ekiben.score.sink import Sink
    from ekiben.score.source import Source

TYPES: dict[str, Any] = {
    "float": pa.float64(),
    "integer": pa.int64(),
    "boolean": pa.bool_(),
    "text": pa.string(),
}


class Part(NamedTuple):
    """What is written for one chunk.

    Args:
        stop: The number after its last row.
        scored: Rows that were scored.
        refused: Rows that were not.
        rows: What is appended to the output.
        errors: What is appended to the list of refused rows.
    """

    stop: int
    scored: int
    refused: int
    rows: bytes
    errors: bytes


class Worker:
    """Makes parts of chunks.

    Args:
        source: Where the rows come from.
        scorer: Who answers.
        sink: How they are written.
        keep: The columns that pass through.
    """

    def __init__(self, source: Source, scorer: Scorer, sink: Sink, keep: Sequence[str]) -> None:
        self._source = source
        self._scorer = scorer
        self._sink = sink
        self._keep = tuple(keep)

    def __call__(self, chunk: Chunk) -> Part:
        """Return the part that `chunk` becomes."""
        features, refused = self._source.features(chunk.data, self._scorer.signature)
        kept, more = self._source.kept(chunk.data, self._keep)
        refused = refused | more
        readable = np.ones(len(features), dtype=bool)
        readable[list(refused)] = False
        if refused:
            features = features[readable].reset_index(drop=True)
        places = np.flatnonzero(readable)
        checked = self._scorer.signature.check_frame(features)
        refused |= {int(places[row]): in_words(problems) for row, problems in checked.problems.items()}
        places = places[checked.positions]
        answers, failed = isolate(self._scorer.score, checked.frame)
        refused |= {int(places[row]): why for row, why in failed.items()}
        places = np.delete(places, list(failed))
        rows = self._sink.encode(self._table(kept.take(places), answers))
        reasons = {int(chunk.positions[place]): why for place, why in refused.items()} | chunk.refused
        errors = b"".join(csv_line([str(row), reasons[row]]) for row in sorted(reasons))
        return Part(chunk.stop, len(places), len(reasons), rows, errors)

    def _table(self, kept: Any, answers: Sequence[dict[str, np.ndarray[Any, Any]]]) -> Any:
        arrays = list(kept.columns)
        for column in self._scorer.columns:
            parts = [pa.array(values[column.name], TYPES[column.kind]) for values in answers]
            arrays.append(pa.chunked_array(parts, TYPES[column.kind]))
        return pa.table(arrays, schema=self._sink.schema)


def in_words(problems: Sequence[Problem]) -> str:
    """Return all that is wrong with a row, in one line, without its number."""
    return "; ".join(problem.message.removeprefix(f"row {problem.row}: ") for problem in problems)


def output_schema(kept: Any, columns: Sequence[AnswerColumn]) -> Any:
    """Return the Arrow schema of the output: what passes through, then the answers."""
    return pa.schema([*kept, *(pa.field(column.name, TYPES[column.kind]) for column in columns)])
