"""Answer: what a model said about one row."""

from __future__ import annotations

from typing import Any


class Answer(dict[str, Any]):
    """The answer to one row: a plain dict that also knows where it came from.

    Args:
        values: `prediction` and, by model, `probability`, `probabilities` or `score`.
        id: The prediction id: what the server's log and feedback call this answer. None if the server sent none.
        model: The model that answered, as `name:version`. None if the server did not say.

    >>> answer = Answer({"prediction": 1}, id="c0ffee-0", model="credit:v7")
    >>> answer
    {'prediction': 1}
    >>> answer["prediction"], answer.id, answer.model
    (1, 'c0ffee-0', 'credit:v7')
    """

    __slots__ = ("id", "model")

    def __init__(self, values: dict[str, Any], *, id: str | None = None, model: str | None = None) -> None:  # noqa: A002 - what people look for
        super().__init__(values)
        self.id = id
        self.model = model
