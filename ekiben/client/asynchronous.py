"""The client for coroutines: a call is awaited, and may be cancelled."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Self, TypeVar

import httpx

from ekiben.client.connection import Body, closed, options, request
from ekiben.client.exchange import Outcome, Send, Talk
from ekiben.client.session import Session
from ekiben.client.settings import Settings

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
    from types import TracebackType

    from ekiben.client.answer import Answer
    from ekiben.signature import Signature

T = TypeVar("T")


class AsyncClient:
    """Asks a server of Ekiben for predictions, from coroutines; the same as `Client`, awaited.

    Args:
        url: As for `Client`.
        verify: As for `Client`.
        settings: As for `Client`.

    Raises:
        ClientError: As for `Client`.

    Example:
        ```python
        async with ekiben.AsyncClient("http://localhost:3000") as client:
            answer = await client.predict("credit", {"duration": 12, "amount": 1800})
        ```
    """

    def __init__(self, url: str, *, verify: ssl.SSLContext | bool = True, **settings: Any) -> None:
        self._session = Session(Settings(url, **settings))
        self._http = httpx.AsyncClient(**options(self._session.settings, verify=verify))

    def __repr__(self) -> str:
        return f"AsyncClient({self._session.settings!r})"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def models(self) -> list[dict[str, Any]]:
        """Return a short entry for each model that is served; see `Client.models`."""
        return await self._run(self._session.models())

    async def model(self, model: str) -> dict[str, Any]:
        """Return all that the server tells about `model`; see `Client.model`."""
        return await self._run(self._session.model(model))

    async def signature(self, model: str) -> Signature:
        """Return the columns that `model` takes and what it answers; see `Client.signature`."""
        return (await self._run(self._session.signature(model))).signature

    async def predict(
        self,
        model: str,
        row: Mapping[str, object],
        *,
        fields: Sequence[str] | None = None,
        check: bool | None = None,
    ) -> Answer:
        """Return the answer to one row; see `Client.predict`."""
        return await self._run(self._session.predict(model, row, fields, check=check))

    async def predict_many(
        self,
        model: str,
        rows: Iterable[Mapping[str, object]],
        *,
        fields: Sequence[str] | None = None,
        check: bool | None = None,
    ) -> list[Answer]:
        """Return one answer per row, in order; see `Client.predict_many`."""
        ready = await self._run(self._session.prepare(model, rows, check=check))
        async with aclosing(self._flow(self._session.parts(model, ready, fields))) as parts:
            return [answer async for part in parts for answer in part]

    async def score(
        self, model: str, frame: Any, *, fields: Sequence[str] | None = None, check: bool | None = None
    ) -> Any:
        """Return the answers to all rows of a frame, as a frame; see `Client.score`."""
        scoring = await self._run(self._session.score(model, frame, fields, check=check))
        async with aclosing(self._flow(scoring.talks())) as parts:
            async for part in parts:
                scoring.take(part)
        return scoring.frame()

    async def _run(self, talk: Talk[T]) -> T:
        """Do what `talk` says until it returns."""
        outcome: Outcome = None
        while True:
            try:
                step = talk.send(outcome)
            except StopIteration as end:
                value: T = end.value
                return value
            if isinstance(step, Send):
                outcome = await self._send(step)
            else:
                await asyncio.sleep(step.seconds)

    async def _flow(self, talks: Iterable[Talk[T]]) -> AsyncGenerator[T]:
        """Run talks side by side, `in_flight` of them, and yield what they return in their order."""
        running: deque[asyncio.Task[T]] = deque()
        try:
            for talk in talks:
                running.append(asyncio.create_task(self._run(talk)))
                if len(running) >= self._session.settings.in_flight:
                    yield await running.popleft()
            while running:
                yield await running.popleft()
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    async def _send(self, step: Send) -> Outcome:
        try:
            response = await self._http.send(self._http.build_request(**request(step)), stream=True)
            try:
                body = Body(step, response)
                async for piece in response.aiter_bytes():
                    body.add(piece)
            finally:
                await response.aclose()
        except httpx.RequestError as error:
            return error
        except RuntimeError as error:
            raise closed(error) from None
        return body.reply()
