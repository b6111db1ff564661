"""`ekiben score`: the rows of a file, with the answers of a model."""

from __future__ import annotations

import contextlib
from pathlib import Path  # noqa: TC003 - typer reads it when the command is registered
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer
from rich.console import Console

from ekiben import threads
from ekiben.errors import EkibenError
from ekiben.score.options import Keep, Options

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ekiben.score.job import Progress, Summary
    from ekiben.score.scorer import Scorer

EXIT_REFUSED = 3
"""The exit code where some rows could not be scored; the others were."""

MAX_IN_FLIGHT = 4
"""Parts that are scored here at the same time, one on each core; each takes its share of memory."""

REQUEST_ROWS = 2_000
"""Rows in one request of `--url`."""


def register(app: typer.Typer) -> None:
    """Add the commands of this module to `app`."""
    app.command(name="score")(score)


def score(
    model: Annotated[
        str, typer.Argument(metavar="MODEL", help="NAME, NAME:VERSION or NAME:ALIAS; with --url, NAME.")
    ],
    input: Annotated[  # noqa: A002 - what the help calls it
        Path, typer.Argument(help="The rows: .csv, .parquet, .ndjson, .arrow.", show_default=False)
    ],
    output: Annotated[Path, typer.Argument(help="The answers, in any of these forms, by the ending.")],
    *,
    url: Annotated[
        str | None,
        typer.Option(help="Ask this server, such as http://localhost:3000, instead of scoring here."),
    ] = None,
    keep: Annotated[
        Keep,
        typer.Option(help="Columns of the input to keep: those that the model does not know, all, or none."),
    ] = "ids",
    fields: Annotated[
        str | None, typer.Option(help="What to answer: 'prediction,probabilities'; by default as saved.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a run that was killed.")] = False,
    restart: Annotated[bool, typer.Option("--restart", help="Throw such a run away and begin anew.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace OUTPUT if it is there.")] = False,
    chunk_rows: Annotated[
        int | None,
        typer.Option(help="Rows scored in one go; fewer need less memory.", min=1, show_default=False),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the outcome as JSON.")] = False,
) -> None:
    """Score the rows of a file: the same rows in the same order, with the answers of a model.

    INPUT and OUTPUT may be CSV (.csv), Parquet (.parquet), NDJSON (.ndjson, one JSON record in each line) or Arrow
    (.arrow, .feather; .arrows for a stream), and larger than memory. Columns that the model does not know, such as
    identifiers, pass through; then come `prediction` and, by model, `probability`, `probability_CLASS` or `score`. The
    cells of a CSV file mean what the model's signature says; blanks and NA are missing values.

    Rows that cannot be scored go to OUTPUT.errors.csv with their number (the first row of data is row 0) and all
    reasons; the rest is scored.

    A run that was killed goes on with --resume: nothing is lost, nothing is there twice. Until it is finished, its work
    lies in OUTPUT.part.

    Exit code: 0 if all rows were scored, 3 if some were refused, 2 if it could not be done.

    For example:

    `ekiben score churn customers.csv scored.csv`

    `ekiben score churn customers.parquet scored.parquet --keep all --fields prediction,probabilities`

    `ekiben score churn customers.ndjson scored.csv --url http://localhost:3000 --resume`
    """
    from ekiben.score.job import Job  # noqa: PLC0415 - heavy, and not needed for the help of other commands

    chosen = None if fields is None else tuple(name.strip() for name in fields.split(",") if name.strip())
    options = Options(
        keep=keep, fields=chosen, resume=resume, restart=restart, overwrite=overwrite, chunk_rows=chunk_rows
    )
    console = Console(stderr=True)
    with _scorer(model, url, chosen, console) as scorer:
        with console.status(f"looking at {input}"):
            job = Job(scorer, input, output, options)
        with _resumable(console, output) as note, _bar(console, scorer.tag) as show:

            def tell(progress: Progress) -> None:
                note(progress)
                show(progress)

            summary = job.run(tell)
    if as_json:
        typer.echo(msgspec.json.encode(summary).decode())
    else:
        _tell(console, summary)
    if summary.refused:
        raise typer.Exit(EXIT_REFUSED)


@contextlib.contextmanager
def _scorer(model: str, url: str | None, fields: Sequence[str] | None, console: Console) -> Iterator[Scorer]:
    """Yield who answers: the model here, or the server at `url`."""
    from ekiben.score.scorer import LocalScorer, RemoteScorer  # noqa: PLC0415 - heavy

    if url is None:
        from ekiben.cli import local  # noqa: PLC0415 - heavy

        with console.status(f"loading {model}"):
            loaded = local.load(model)
        settings = {"threshold": loaded.policy.threshold}
        # Estimators of one's own (the manifest names them) may not be made for several threads.
        in_flight = 1 if loaded.model.manifest.trusted else min(threads.share(None), MAX_IN_FLIGHT)
        yield LocalScorer(loaded.model.tag, loaded.engine, fields, settings, in_flight)
        return
    from ekiben.client import Client  # noqa: PLC0415 - heavy

    with Client(url) as impatient:
        impatient.model(model)  # a wrong address or name is told at once
    # From here on more patient than a client usually is: a server that restarts should not end a night's work.
    patience: dict[str, Any] = {"timeout_s": 60.0, "retries": 20, "deadline_s": 600.0, "max_wait_s": 60.0}
    with Client(url, chunk_rows=REQUEST_ROWS, in_flight=2, **patience) as client:
        yield RemoteScorer(client, model, fields)


@contextlib.contextmanager
def _resumable(console: Console, output: Path) -> Iterator[Callable[[Progress], None]]:
    """Say how to go on, if the run is stopped after something was done."""
    row = 0

    def note(progress: Progress) -> None:
        nonlocal row
        row = progress.rows

    try:
        yield note
    except (EkibenError, KeyboardInterrupt):
        if row:
            console.print(
                f"stopped behind row {row:,}; the same command with --resume goes on from there ({output}.part)",
                markup=False,
                highlight=False,
                soft_wrap=True,
            )
        raise


@contextlib.contextmanager
def _bar(console: Console, title: str) -> Iterator[Callable[[Progress], None]]:
    """Show how far the job is, how fast, and how long it will take, where there is a terminal."""
    from rich import progress as rich_progress  # noqa: PLC0415 - takes a while

    columns = (
        rich_progress.TextColumn("{task.description}", markup=False),
        rich_progress.BarColumn(),
        rich_progress.TaskProgressColumn(),
        rich_progress.TextColumn("{task.fields[words]}", markup=False),
        rich_progress.TimeRemainingColumn(),
    )
    with rich_progress.Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as shown:
        task = shown.add_task(title, total=1.0, words="")
        first_row: list[int] = []

        def show(progress: Progress) -> None:
            first_row[:] = first_row or [progress.rows]
            seconds = shown.tasks[0].elapsed or 0.0
            speed = (progress.rows - first_row[0]) / seconds if seconds else 0.0
            refused = f", {progress.refused:,} refused" if progress.refused else ""
            words = f"{progress.rows:,} rows, {speed:,.0f} rows/s{refused}"
            shown.update(task, completed=progress.share, words=words)

        yield show


def _tell(console: Console, summary: Summary) -> None:
    """Say what came of it."""
    resumed = f" (resumed at row {summary.resumed_at_row:,})" if summary.resumed_at_row else ""
    speed = (summary.rows - summary.resumed_at_row) / summary.seconds if summary.seconds else 0.0
    what = f"{summary.scored:,} of {summary.rows:,} rows scored by {summary.model}"
    lines = [f"{what} in {summary.seconds:.1f} s, {speed:,.0f} rows/s{resumed}: {summary.output}"]
    if summary.refused:
        lines.append(
            f"{summary.refused:,} rows could not be scored; row numbers and reasons: {summary.errors}"
        )
    for line in lines:
        console.print(line, markup=False, highlight=False, soft_wrap=True)
