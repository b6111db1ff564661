"""App: the commands of `ekiben`, and how their errors are told."""

from __future__ import annotations

import sys
from typing import Annotated

import typer
from rich.console import Console

from ekiben import __version__
from ekiben.cli import fit, image, models, predict, score, serve
from ekiben.errors import EkibenError

EXIT_ERROR = 2
"""The exit code of a command that was refused; its message is on standard error."""

app = typer.Typer(
    name="ekiben",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    help="Tabular models from a training script to an API, a batch job and an image.\n\n"
    "From a table to an API in two commands: `ekiben fit churn.csv --target Churn --name churn`, "
    "then `ekiben serve churn`.",
)


def _print_version(wanted: bool) -> None:  # noqa: FBT001 - typer hands an option's value by position
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _options(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    del version


for group in (fit, serve, predict, score, models, image):
    group.register(app)


def main() -> None:
    """Run the command line; an error of Ekiben is a message and exit code 2, not a traceback."""
    try:
        app()
    except EkibenError as error:
        Console(stderr=True).print(
            f"[bold red]error:[/] {_plain(str(error))}", soft_wrap=True, highlight=False
        )
        sys.exit(EXIT_ERROR)


def _plain(text: str) -> str:
    """Return `text` such that rich prints its brackets."""
    return text.replace("[", "\\[")
