"""Engine: rows in, predictions out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from ekiben.engine.predictions import Predictions
    from ekiben.signature import Field, Signature


class Engine(Protocol):
    """What computes the answers of one model.

    Attributes:
        signature: The columns that it takes and what it answers.
    """

    @property
    def signature(self) -> Signature:
        """The columns that the model takes and what it answers."""

    def predict_rows(
        self, rows: Sequence[tuple[Any, ...]], fields: Collection[Field] | None = None
    ) -> Predictions:
        """Return the predictions for checked rows.

        Args:
            rows: n rows of plain Python values in the order of the signature's columns, None where missing.
            fields: What the answers will hold, and so what has to be computed; by default `signature.output.fields`.

        Returns:
            Predictions of length n, in order.

        Raises:
            RowError: The model answered one of the rows with something that is not a number.
            EngineError: The model broke its contract.
        """

    def predict_frame(self, frame: Any, fields: Collection[Field] | None = None) -> Predictions:
        """Return the predictions for a frame with the columns and dtypes of training.

        Args:
            frame: n rows as `Signature.frame` or `Signature.check_frame` gives them.
            fields: As in `predict_rows`.

        Raises:
            RowError, EngineError: As in `predict_rows`.
        """
