"""Scorer: who answers the rows: a model in this process, or a server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import msgspec
import numpy as np

from ekiben.client.columns import DTYPES, AnswerColumn, answer_columns, arrays
from ekiben.client.frames import pandas_records
from ekiben.errors import ClientError, EngineError, InputError, RowError
from ekiben.signature import Signature

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    import pandas as pd

    from ekiben.client import Client
    from ekiben.score.chunk import Refused
    from ekiben.signature import Field

    Values = dict[str, np.ndarray[Any, Any]]

LOCAL_ROWS = 20_000
"""Rows in one call of a model in this process: enough to make its fixed costs small."""

REMOTE_ROWS = 8_000
"""Rows that go to a server together, in several requests: what is lost at most if the run is killed."""


class Scorer(Protocol):
    """Who answers the rows."""

    @property
    def tag(self) -> str:
        """The model, `name:version`."""

    @property
    def signature(self) -> Signature:
        """What it takes and answers."""

    @property
    def columns(self) -> tuple[AnswerColumn, ...]:
        """What the answers become."""

    @property
    def chunk_rows(self) -> int:
        """Rows that suit it in one go."""

    @property
    def in_flight(self) -> int:
        """How many such parts it may work on at the same time."""

    @property
    def settings(self) -> dict[str, Any]:
        """What else decides the answers, for the journal."""

    def score(self, frame: pd.DataFrame) -> Values:
        """Return one array for each answer column.

        Args:
            frame: Checked rows, as `Signature.check_frame` gives them.

        Raises:
            RowError: The model cannot answer one of the rows.
            InputError: A server refuses rows that were checked here.
        """


class _Engine(Protocol):
    """What answers in this process: `engine.Engine` is one."""

    @property
    def signature(self) -> Signature: ...

    def predict_frame(self, frame: Any, fields: Collection[Field] | None = None) -> Any: ...


class LocalScorer:
    """A model in this process.

    Args:
        tag: The model, `name:version`.
        engine: What answers.
        fields: What an answer holds; None for what the signature says.
        settings: What else decides the answers, such as a threshold; goes into the journal.
        in_flight: How many parts are worked on at the same time. Better than several threads for one part: those wait
            for each other, and a forest then adds up its trees in another order each time.

    Raises:
        InputError: The model cannot answer one of the fields.
    """

    chunk_rows = LOCAL_ROWS

    def __init__(
        self,
        tag: str,
        engine: _Engine,
        fields: Sequence[str] | None = None,
        settings: dict[str, Any] | None = None,
        in_flight: int = 1,
    ) -> None:
        self.tag = tag
        self.signature = engine.signature
        self.settings = dict(settings or {})
        self.in_flight = in_flight
        self._engine = engine
        self._fields = engine.signature.output.choose(fields)
        self.columns = answer_columns(engine.signature.output, fields)
        # A list of one, so that a model is asked in the form that it is always asked in.
        self._good_row = engine.signature.check_records([engine.signature.example])

    def score(self, frame: pd.DataFrame) -> Values:
        """See `Scorer.score`."""
        try:
            return self._values(frame)
        except (RowError, EngineError, MemoryError):
            raise
        except Exception as error:  # an estimator may raise anything
            if len(frame) > 1:
                raise RowError(0, f"{type(error).__name__}: {error}") from error
            raise self._blame(error) from error

    def _blame(self, error: Exception) -> RowError | EngineError:
        """Say whether the row or the model is at fault: the model is, if a good row fails too."""
        reason = f"{type(error).__name__}: {error}"
        try:
            self._engine.predict_frame(self.signature.frame(self._good_row), self._fields)
        except Exception:  # noqa: BLE001 - whatever it is, the model no longer answers what it once did
            return EngineError(f"{self.tag}: the model fails: {reason}")
        return RowError(0, reason)

    def _values(self, frame: pd.DataFrame) -> Values:
        predictions = self._engine.predict_frame(frame, self._fields)
        if len(predictions) != len(frame):
            raise EngineError(f"{self.tag}: the engine gave {len(predictions)} answers for {len(frame)} rows")
        return {column.name: self._column(predictions, column) for column in self.columns}

    def _column(self, predictions: Any, column: AnswerColumn) -> np.ndarray[Any, Any]:
        if column.field in {"probability", "probabilities"}:
            return np.asarray(predictions.probabilities[:, column.position], dtype=np.float64)
        if column.field == "score":
            return np.asarray(predictions.score, dtype=np.float64)
        if column.kind == "text":
            return np.array([str(label) for label in predictions.prediction.tolist()], dtype=np.object_)
        return np.asarray(predictions.prediction).astype(DTYPES[column.kind])


class RemoteScorer:
    """A model behind a URL.

    Args:
        client: The client; it is not closed here.
        model: The name of a model that the server has.
        fields: What an answer holds; None for what the signature says.

    Raises:
        InputError: The model cannot answer one of the fields.
        ClientError, ModelNotFoundError: The server cannot be asked, or does not have it.
    """

    chunk_rows = REMOTE_ROWS
    in_flight = 2  # while one part is sent, the next one is read and checked

    def __init__(self, client: Client, model: str, fields: Sequence[str] | None = None) -> None:
        document = client.model(model)
        self.tag = f"{document['name']}:{document['version']}"
        self.signature = Signature.from_json(msgspec.json.encode(document["signature"]))
        self.settings = {"threshold": (document.get("policy") or {}).get("threshold")}
        self._client = client
        self._model = model
        self._fields = fields
        self.columns = answer_columns(self.signature.output, fields)

    def score(self, frame: pd.DataFrame) -> Values:
        """See `Scorer.score`."""
        rows = pandas_records(frame)
        try:
            answers = self._client.predict_many(self._model, rows, fields=self._fields, check=False)
        except InputError:
            document = self._client.model(self._model)
            self._check_tag(f"{document['name']}:{document['version']}")
            raise
        for tag in {answer.model for answer in answers} - {None}:
            self._check_tag(tag)
        return arrays(answers, self.columns)

    def _check_tag(self, tag: str | None) -> None:
        if tag != self.tag:
            raise ClientError(
                f"{self.tag} was replaced by {tag} on the server while the file was scored; start again with --restart, "
                "so that all answers come from one version"
            )


def isolate(score: Callable[[pd.DataFrame], Values], frame: pd.DataFrame) -> tuple[list[Values], Refused]:
    """Score `frame`; where rows make the model fail, halve it until they stand alone.

    Args:
        score: Answers a frame, or raises RowError or InputError.
        frame: Checked rows.

    Returns:
        The answers in parts, in order, without the refused rows; and why those were refused, by their place.
    """
    if not len(frame):
        return [], {}
    try:
        return [score(frame)], {}
    except (RowError, InputError) as error:
        if len(frame) == 1:
            return [], {0: reason(error)}
    middle = len(frame) // 2
    first, refused = isolate(score, frame.iloc[:middle])
    second, more = isolate(score, frame.iloc[middle:].reset_index(drop=True))
    return first + second, refused | {row + middle: why for row, why in more.items()}


def reason(error: RowError | InputError) -> str:
    """Return why a row was refused, without its number."""
    if isinstance(error, RowError):
        return f"the model cannot answer it: {error.reason}"
    return "; ".join(problem.message.removeprefix(f"row {problem.row}: ") for problem in error.problems)
