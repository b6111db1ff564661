"""Scoring of files: rows of a table larger than memory in, the same rows with the model's answers out.

The way of a row: `source` (reads CSV, Parquet, NDJSON, Arrow) - `chunk` (cuts the rows into parts) - `scorer` (asks a
model, here or behind a URL) - `sink` (writes what came of it) - `journal` (remembers how far it came) - `job` (runs it).
"""

from __future__ import annotations

from ekiben.score.job import Job, Summary
from ekiben.score.options import Options
from ekiben.score.scorer import LocalScorer, RemoteScorer, Scorer

__all__ = ["Job", "LocalScorer", "Options", "RemoteScorer", "Scorer", "Summary"]
