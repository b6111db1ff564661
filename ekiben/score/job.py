"""Job: one file scored from its first row to its last, or on from where an earlier run was killed."""

from __future__ import annotations

import os
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import msgspec

from ekiben.errors import TableError
from ekiben.score.chunk import chunks
from ekiben.score.form import OUTPUT_ENDINGS, form_of
from ekiben.score.journal import Journal, Mark, Task, folder_of
from ekiben.score.source import check_columns, open_source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from concurrent.futures import Future
    from pathlib import Path

    from ekiben.score.form import Form
    from ekiben.score.options import Options
    from ekiben.score.part import Part
    from ekiben.score.scorer import Scorer
    from ekiben.score.sink import Sink
    from ekiben.score.source import Source

MAX_CELLS = 2_000_000
"""Cells of one chunk, unless people say how many rows it has: what bounds the memory for wide tables."""

ERRORS_HEAD = ("row_from_0", "reason")
"""The columns of `OUTPUT.errors.csv`; the first row of data is row 0."""

In = TypeVar("In")
Out = TypeVar("Out")


class Progress(NamedTuple):
    """How far a job is.

    Args:
        rows: Rows of the input that are done.
        refused: How many of them could not be scored.
        share: What share of the input that is, from 0 to 1; by bytes, where the number of rows is not known.
    """

    rows: int
    refused: int
    share: float


class Summary(msgspec.Struct, frozen=True):
    """What came of a job.

    Args:
        model: The model, `name:version`.
        rows: Rows of the input.
        scored: How many of them were scored.
        refused: How many were not; each stands in `errors`.
        output: The file that was written.
        errors: The list of refused rows; None if there are none.
        resumed_at_row: The row that this run began with.
        seconds: How long this run took.
    """

    model: str
    rows: int
    scored: int
    refused: int
    output: str
    errors: str | None
    resumed_at_row: int
    seconds: float


class Job:
    """One file to score.

    Args:
        scorer: Who answers.
        input: A CSV, Parquet, NDJSON or Arrow file.
        output: The file to write, in any of these forms; in the same folder lie `OUTPUT.part` while the job runs, and
            `OUTPUT.errors.csv` afterwards if rows were refused.
        options: What people chose.

    Raises:
        TableError: The input cannot be read or does not have the model's columns, or the output cannot be written.
    """

    def __init__(self, scorer: Scorer, input: Path, output: Path, options: Options) -> None:  # noqa: A002 - as the command calls it
        self._started_s = time.perf_counter()
        self._scorer = scorer
        self._output = output
        self._errors = output.with_name(output.name + ".errors.csv")
        self._options = options
        form = form_of(output, OUTPUT_ENDINGS)
        if not output.parent.is_dir():
            raise TableError(f"{output.parent} is no folder; make it, or write to another one")
        self._source = open_source(input)
        if output.exists() and output.samefile(input):
            raise TableError(f"{output} is the input; write to another file")
        if not folder_of(output).exists():
            self._check_free()
        check_columns(self._source, scorer.signature)
        self._sink, self._keep = self._layout(form)
        self._task = self._describe(input)

    def run(self, on_progress: Callable[[Progress], None] = lambda _: None) -> Summary:
        """Score all rows that are not yet done, and finish the output.

        Args:
            on_progress: Called now and then, from this thread.

        Raises:
            TableError: There is an unfinished run that cannot be, or was not asked to be, gone on with; or the input
                cannot be read to its end.
            EkibenError: The model or the server failed; what is done so far can be resumed.
        """
        try:
            with Journal(self._output) as journal:
                self._begin(journal)
                first = journal.mark.rows
                if not journal.mark.end:
                    self._score(journal, on_progress)
                    journal.put(msgspec.structs.replace(journal.mark, end=True))
                mark = journal.mark
                self._finish(journal)
        except OSError as error:  # no space left, no right to write, a disk that went away
            place = error.filename or folder_of(self._output)
            raise TableError(f"{place} cannot be written or read: {error.strerror or error}") from error
        return Summary(
            model=self._scorer.tag,
            rows=mark.rows,
            scored=mark.scored,
            refused=mark.refused,
            output=str(self._output),
            errors=str(self._errors) if mark.refused else None,
            resumed_at_row=first,
            seconds=time.perf_counter() - self._started_s,
        )

    def _layout(self, form: Form) -> tuple[Sink, list[str]]:
        """Return how the output is written, and which columns pass through; the source learns what to read."""
        from ekiben.score.part import output_schema  # noqa: PLC0415 - pyarrow is heavy
        from ekiben.score.sink import Sink  # noqa: PLC0415 - as above

        known = self._scorer.signature.names
        choice = self._options.keep
        keep = [
            name
            for name in self._source.columns
            if choice == "all" or (choice == "ids" and name not in known)
        ]
        answers = [column.name for column in self._scorer.columns]
        twice = [name for name in keep if name in answers]
        if twice:
            raise TableError(
                f"column {twice[0]!r} of the input is called like an answer; rename it, or leave it out with --keep none"
            )
        schema = output_schema(self._source.kept_schema(keep), self._scorer.columns)
        self._source.choose([name for name in self._source.columns if name in keep or name in known])
        return Sink(form, schema), keep

    def _describe(self, input: Path) -> Task:  # noqa: A002 - as above
        found = input.stat()
        return Task(
            model=self._scorer.tag,
            input={
                "size": found.st_size,
                "time of change": found.st_mtime_ns,
                "columns": self._source.columns,
            },
            settings={
                "form": self._sink.form,
                "keep": self._options.keep,
                "answers": [column.name for column in self._scorer.columns],
                **self._scorer.settings,
            },
        )

    def _begin(self, journal: Journal) -> None:
        from ekiben.score.sink import csv_line  # noqa: PLC0415 - as above

        if not journal.is_new and not self._options.restart:
            if not self._options.resume:
                raise TableError(
                    f"an unfinished run lies in {journal.folder}: go on with it by --resume, or throw it away by --restart"
                )
            journal.go_on(self._task)
            return
        self._check_free()
        journal.begin(self._task, self._sink.head(), csv_line(list(ERRORS_HEAD)))

    def _check_free(self) -> None:
        for path in (self._output, self._errors):
            if path.exists() and not self._options.overwrite:
                raise TableError(f"{path} is there already; --overwrite replaces it")

    def _score(self, journal: Journal, on_progress: Callable[[Progress], None]) -> None:
        from ekiben.score.part import Worker  # noqa: PLC0415 - as above

        source = self._source
        mark = journal.mark
        parts = chunks(source.pieces(mark.rows), self._chunk_rows(source), mark.rows, source.join)
        work = Worker(source, self._scorer, self._sink, self._keep)
        with journal.rows.open("ab") as rows, journal.errors.open("ab") as errors:
            for part in in_order(work, parts, self._scorer.in_flight):
                for file, content in ((rows, part.rows), (errors, part.errors)):
                    file.write(content)
                    file.flush()
                    os.fsync(file.fileno())
                journal.put(_after(journal.mark, part))
                on_progress(Progress(part.stop, journal.mark.refused, source.done()))

    def _chunk_rows(self, source: Source) -> int:
        if self._options.chunk_rows is not None:
            return self._options.chunk_rows
        return max(1, min(self._scorer.chunk_rows, MAX_CELLS // len(source.columns)))

    def _finish(self, journal: Journal) -> None:
        if journal.errors.exists():
            if journal.mark.refused:
                journal.errors.replace(self._errors)
            else:
                self._errors.unlink(missing_ok=True)  # that of the output that is replaced
        if journal.rows.exists():
            self._sink.finish(journal.rows, self._output)
        journal.remove()


def in_order(work: Callable[[In], Out], items: Iterable[In], width: int) -> Iterator[Out]:
    """Yield `work` of each item, in their order; `width` run at a time, and one more waits.

    >>> list(in_order(abs, [-3, 2, -1], 2))
    [3, 2, 1]
    """
    running: deque[Future[Out]] = deque()
    with ThreadPoolExecutor(width, thread_name_prefix="ekiben-score") as pool:
        try:
            for item in items:
                running.append(pool.submit(work, item))
                if len(running) > width:
                    yield running.popleft().result()
            while running:
                yield running.popleft().result()
        finally:
            for future in running:
                future.cancel()


def _after(mark: Mark, part: Part) -> Mark:
    return Mark(
        rows=part.stop,
        scored=mark.scored + part.scored,
        refused=mark.refused + part.refused,
        rows_bytes=mark.rows_bytes + len(part.rows),
        errors_bytes=mark.errors_bytes + len(part.errors),
    )
