"""Scoring: a frame on its way to the server in parts, and the answers on their way back into a frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ekiben.client.columns import answer_columns, arrays
from ekiben.client.records import moved, plain_records
from ekiben.errors import ClientError, InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ekiben.client.exchange import Talk
    from ekiben.client.frames import Frame
    from ekiben.client.session import Known, Session


class Part(NamedTuple):
    """The answers to some rows, as one array for each column, and the model that gave them."""

    values: dict[str, np.ndarray[Any, Any]]
    model: str | None


class Scoring:
    """One frame that is being scored.

    Args:
        session: Whom to ask.
        model: The model, as the caller names it.
        known: Its signature and version.
        frame: The rows.
        fields: What an answer holds; None for what the signature says.
        check: Whether rows are checked when they are cut out.

    Raises:
        InputError: The model cannot answer one of the fields.
    """

    def __init__(
        self,
        session: Session,
        model: str,
        known: Known,
        frame: Frame,
        fields: Sequence[str] | None,
        *,
        check: bool,
    ) -> None:
        self._session = session
        self._model = model
        self._known = known
        self._frame = frame
        self._fields = fields
        self._check = check
        self._columns = answer_columns(known.signature.output, fields)
        self._parts: list[Part] = []

    def talks(self) -> Iterator[Talk[Part]]:
        """Return one talk for each part of the frame; they may run at the same time."""
        size = self._session.settings.chunk_rows
        for start in range(0, self._frame.rows, size):
            yield self._talk(start, min(start + size, self._frame.rows))

    def take(self, part: Part) -> None:
        """Take the next part; parts come in the order of `talks`.

        Raises:
            ClientError: Another version of the model began to answer in the middle of the frame.
        """
        if part.model is not None and part.model != self._known.tag:
            raise ClientError(
                f"{self._known.tag} was replaced by {part.model} on the server while the frame was scored; "
                "score it again, so that all answers come from one version"
            )
        self._parts.append(part)

    def frame(self) -> Any:
        """Return the answers as a frame of the library that the rows came in."""
        nothing = arrays([], self._columns)
        values = {
            name: np.concatenate([empty, *(part.values[name] for part in self._parts)])
            for name, empty in nothing.items()
        }
        return self._frame.answers(self._columns, values)

    def _talk(self, start: int, stop: int) -> Talk[Part]:
        # The rows are cut out when it is their turn, so that only those in flight take memory twice.
        try:
            rows = self._frame.records(self._known.signature, start, stop, check=self._check)
            rows = rows if self._check else plain_records(rows)
        except InputError as error:
            raise moved(error, start) from None
        answers = yield from self._session.part(self._model, rows, self._fields, start)
        return Part(arrays(answers, self._columns), answers[0].model)
