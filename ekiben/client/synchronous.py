"""The client for ordinary code: a call returns when its answer is there."""

from __future__ import annotations

import threading
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Self, TypeVar

import httpx

from ekiben.client.connection import Body, closed, options, request
from ekiben.client.exchange import Outcome, Send, Talk
from ekiben.client.session import Session
from ekiben.client.settings import Settings
from ekiben.errors import ClientError

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from concurrent.futures import Future
    from types import TracebackType

    from ekiben.client.answer import Answer
    from ekiben.signature import Signature

T = TypeVar("T")


class Client:
    """Asks a server of Ekiben for predictions; may be used by several threads at once.

    Args:
        url: Where the server is, such as `http://localhost:3000`.
        verify: Whether the server's certificate is checked, or the context that does it.
        settings: All other settings, by name, with their units and defaults: see `ekiben.client.settings.Settings`.
            Those of everyday use are `timeout_s=10`, `retries=3`, `deadline_s=60`, `headers`, `check=True`,
            `chunk_rows=2000` and `in_flight=4`.

    Raises:
        ClientError: A setting is not usable. Every method raises it too, if the server cannot be reached or understood.

    Example:
        ```python
        with ekiben.Client("http://localhost:3000") as client:
            answer = client.predict("credit", {"duration": 12, "amount": 1800})
            answer["prediction"], answer.id, answer.model
            scored = frame.join(client.score("credit", frame))
        ```
    """

    def __init__(self, url: str, *, verify: ssl.SSLContext | bool = True, **settings: Any) -> None:
        self._session = Session(Settings(url, **settings))
        self._http = httpx.Client(**options(self._session.settings, verify=verify))

    def __repr__(self) -> str:
        return f"Client({self._session.settings!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def models(self) -> list[dict[str, Any]]:
        """Return a short entry for each model that is served: `name`, `version`, `kind`, `metrics` and more."""
        return self._run(self._session.models())

    def model(self, model: str) -> dict[str, Any]:
        """Return all that the server tells about `model`: `name`, `version`, `example`, `schema`, `metrics`, `card`...

        Raises:
            ModelNotFoundError: The server has no such model.
        """
        return self._run(self._session.model(model))

    def signature(self, model: str) -> Signature:
        """Return the columns that `model` takes and what it answers.

        It is kept for `signature_age_s`, or until an answer shows that another version is served.

        Raises:
            ModelNotFoundError: The server has no such model.
        """
        return self._run(self._session.signature(model)).signature

    def predict(
        self,
        model: str,
        row: Mapping[str, object],
        *,
        fields: Sequence[str] | None = None,
        check: bool | None = None,
    ) -> Answer:
        """Return the answer to one row.

        Args:
            model: The name of a served model.
            row: Column names and values; None, NaN or NA is a missing value.
            fields: What the answer holds; by default what the signature says.
            check: Whether the row is checked before it is sent; by default what the client was made with.

        Returns:
            A dict with `prediction` and, by model, `probability`, `probabilities` or `score`; its `id` and `model` say
            where it came from.

        Raises:
            InputError: The row does not fit the signature; it lists every problem.
            RequestError: It cannot be answered for another reason.
            ServingError: The server cannot answer now, and did not after all retries.
        """
        return self._run(self._session.predict(model, row, fields, check=check))

    def predict_many(
        self,
        model: str,
        rows: Iterable[Mapping[str, object]],
        *,
        fields: Sequence[str] | None = None,
        check: bool | None = None,
    ) -> list[Answer]:
        """Return one answer per row, in order.

        All rows are checked before the first is sent; then they go in parts of `chunk_rows`, `in_flight` at a time.

        Args:
            model: The name of a served model.
            rows: Dicts, as for `predict`.
            fields: As for `predict`.
            check: As for `predict`.

        Raises:
            InputError, RequestError, ServingError: As for `predict`; rows are counted from 0.
        """
        ready = self._run(self._session.prepare(model, rows, check=check))
        parts = self._flow(self._session.parts(model, ready, fields))
        return [answer for part in parts for answer in part]

    def score(
        self, model: str, frame: Any, *, fields: Sequence[str] | None = None, check: bool | None = None
    ) -> Any:
        """Return the answers to all rows of a frame, as a frame.

        The frame may have millions of rows: it goes in parts of `chunk_rows`, `in_flight` at a time, and no more than
        those exist as JSON. Columns that the model does not know are not sent.

        Args:
            model: The name of a served model.
            frame: A DataFrame of pandas or polars, or a Table of pyarrow.
            fields: As for `predict`.
            check: As for `predict`; all rows are checked before the first is sent.

        Returns:
            A frame of the same library with the same rows in the same order (and, for pandas, the same index). Its
            columns are `prediction` and, by model, `probability`, one `probability_<class>` for each class, or `score`.

        Raises:
            InputError, RequestError, ServingError: As for `predict`; rows are counted from 0.
            ClientError: Another version of the model began to answer in the middle.
        """
        scoring = self._run(self._session.score(model, frame, fields, check=check))
        for part in self._flow(scoring.talks()):
            scoring.take(part)
        return scoring.frame()

    def _run(self, talk: Talk[T], stop: threading.Event | None = None) -> T:
        """Do what `talk` says until it returns."""
        outcome: Outcome = None
        while True:
            try:
                step = talk.send(outcome)
            except StopIteration as end:
                value: T = end.value
                return value
            if isinstance(step, Send):
                outcome = self._send(step)
            elif stop is None:
                time.sleep(step.seconds)
            elif stop.wait(step.seconds):
                raise ClientError("given up, because another part of the same rows failed")

    def _flow(self, talks: Iterable[Talk[T]]) -> Iterator[T]:
        """Run talks side by side, `in_flight` of them, and yield what they return in their order."""
        width = self._session.settings.in_flight
        stop = threading.Event()
        running: deque[Future[T]] = deque()
        with ThreadPoolExecutor(width, thread_name_prefix="ekiben-client") as pool:
            try:
                for talk in talks:
                    running.append(pool.submit(self._run, talk, stop))
                    if len(running) > width:
                        yield running.popleft().result()
                while running:
                    yield running.popleft().result()
            finally:
                stop.set()
                for future in running:
                    future.cancel()

    def _send(self, step: Send) -> Outcome:
        try:
            response = self._http.send(self._http.build_request(**request(step)), stream=True)
            try:
                body = Body(step, response)
                for piece in response.iter_bytes():
                    body.add(piece)
            finally:
                response.close()
        except httpx.RequestError as error:
            return error
        except RuntimeError as error:
            raise closed(error) from None
        return body.reply()
