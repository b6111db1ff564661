"""Predictions: what an engine answered, as arrays, and as the JSON of the answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ekiben.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from ekiben.signature import Field, Output


@dataclass(frozen=True, eq=False)
class Predictions:
    """What an engine answered to n rows.

    Args:
        prediction: Labels or numbers, shape (n,).
        probabilities: One column for each of the k classes, in the order of `Output.classes`, shape (n, k); None if
            they were not asked for.
        score: The decision function, shape (n,); None if it was not asked for.

    >>> import numpy as np
    >>> from ekiben.signature import Output
    >>> output = Output(kind="label", classes=(0, 1))
    >>> Predictions(np.array([1]), np.array([[0.07, 0.93]])).answers(output, ["prediction", "probability"])
    [{'prediction': 1, 'probability': 0.93}]
    """

    prediction: np.ndarray[Any, Any]
    probabilities: np.ndarray[Any, Any] | None = None
    score: np.ndarray[Any, Any] | None = None

    def __len__(self) -> int:
        return len(self.prediction)

    def __getitem__(self, rows: slice) -> Predictions:
        return Predictions(
            self.prediction[rows],
            None if self.probabilities is None else self.probabilities[rows],
            None if self.score is None else self.score[rows],
        )

    def answers(self, output: Output, fields: Sequence[Field] | None = None) -> list[dict[str, Any]]:
        """Return one JSON-ready dict of plain Python values for each row.

        Args:
            output: What the model answers.
            fields: What an answer holds; by default `output.fields`.

        Returns:
            Per row `prediction`, and as asked `probability` (of the positive class), `probabilities` (of each class, by
            its label as text, `Output.keys`) and `score`.

        Raises:
            EngineError: A field was not computed.
        """
        names = tuple(output.fields if fields is None else fields)
        columns = [self._column(name, output) for name in names]
        return [dict(zip(names, cells, strict=True)) for cells in zip(*columns, strict=True)]

    def _column(self, field: Field, output: Output) -> list[Any]:
        """Return one field of all answers."""
        if field == "prediction":
            return list(self.prediction.tolist())
        if field == "score" and self.score is not None:
            return list(self.score.tolist())
        if self.probabilities is not None and output.classes is not None:
            if field == "probability" and len(output.classes) == 2:
                return list(self.probabilities[:, positive_index(output)].tolist())
            if field == "probabilities":
                return [dict(zip(output.keys, row, strict=True)) for row in self.probabilities.tolist()]
        raise EngineError(
            f"the engine was not asked for {field!r}; ask it for the fields that the answer is to hold"
        )


def positive_index(output: Output) -> int:
    """Return which of two classes is the positive one: that of `output.positive`, by default the second.

    >>> from ekiben.signature import Output
    >>> positive_index(Output(kind="label", classes=("bad", "good"), positive="bad"))
    0
    """
    classes = output.classes or ()
    return classes.index(output.positive) if output.positive is not None and output.positive in classes else 1
