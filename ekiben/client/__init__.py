"""The Python client of a served model: one row, many rows, whole frames.

Needs neither BentoML nor scikit-learn, and pandas, polars or pyarrow only where you pass one of their frames.
"""

from __future__ import annotations

from ekiben.client.answer import Answer
from ekiben.client.asynchronous import AsyncClient
from ekiben.client.synchronous import Client

__all__ = ["Answer", "AsyncClient", "Client"]
