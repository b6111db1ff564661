"""Reference: a bounded sample of what the model knew and answered when it was saved, as Parquet.

What it answers later is compared with this. The columns are those of the signature, as trained, and after them
`ekiben:prediction`, `ekiben:probability:LABEL` for each class, `ekiben:score` and `ekiben:label` (what was true), as far
as there are any.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np

from ekiben.errors import MissingExtraError, SaveError

if TYPE_CHECKING:
    import pandas as pd

    from ekiben.signature import Output

REFERENCE_FILE = "reference.parquet"
"""Where the sample lies in the folder of a model."""

MAX_ROWS = 2000
"""How many rows of the sample are kept at most."""

PREFIX = "ekiben:"
"""What the names of the added columns begin with."""


def choose(rows: int, seed: int = 0, max_rows: int = MAX_ROWS) -> np.ndarray[Any, Any]:
    """Return which rows of a sample are kept: all, or `max_rows` drawn without replacement, in their order.

    Args:
        rows: How many there are.
        seed: Of the draw.
        max_rows: How many are kept at most.

    Returns:
        Positions, int64, shape (min(rows, max_rows),), ascending.

    >>> choose(10, seed=1, max_rows=3)
    array([3, 4, 7])
    """
    if rows <= max_rows:
        return np.arange(rows)
    return np.sort(np.random.default_rng(seed).choice(rows, max_rows, replace=False))


def encode(
    frame: pd.DataFrame,
    output: Output,
    *,
    prediction: np.ndarray[Any, Any],
    probabilities: np.ndarray[Any, Any] | None = None,
    score: np.ndarray[Any, Any] | None = None,
    labels: np.ndarray[Any, Any] | None = None,
) -> bytes:
    """Return the bytes of the Parquet file.

    Args:
        frame: n rows of input, as trained.
        output: What the model answers.
        prediction: What it answered, shape (n,).
        probabilities: Of each class, shape (n, k).
        score: The decision function, shape (n,).
        labels: What was true, shape (n,).

    Raises:
        MissingExtraError: pyarrow is not installed.
        SaveError: A column holds what Parquet cannot.
    """
    try:
        import pyarrow as pa  # noqa: PLC0415 - an extra
        from pyarrow import parquet  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise MissingExtraError("pyarrow", "arrow", "keeping a sample with the model") from error
    added: dict[str, Any] = {"prediction": prediction}
    if probabilities is not None:
        added |= {f"probability:{label}": probabilities[:, k] for k, label in enumerate(output.classes or ())}
    added |= {name: values for name, values in (("score", score), ("label", labels)) if values is not None}
    table = frame.reset_index(drop=True).copy()
    for name, values in added.items():
        table[PREFIX + name] = values
    try:
        arrow = pa.Table.from_pandas(table, preserve_index=False)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError) as error:
        raise SaveError(
            f"the sample cannot be kept as Parquet: {error}; give each column values of one type"
        ) from error
    file = io.BytesIO()
    parquet.write_table(arrow, file, compression="zstd")
    return file.getvalue()


def decode(data: bytes) -> pd.DataFrame:
    """Return the sample that `encode` wrote.

    Raises:
        MissingExtraError: pyarrow is not installed.
    """
    try:
        from pyarrow import parquet  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise MissingExtraError("pyarrow", "arrow", "reading the sample of a model") from error
    frame: pd.DataFrame = parquet.read_table(io.BytesIO(data)).to_pandas()
    return frame
