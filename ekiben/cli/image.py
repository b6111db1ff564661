"""`ekiben image`: the project's service as an image."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from ekiben.errors import ShipError


def register(app: typer.Typer) -> None:
    """Add the commands of this module to `app`."""
    app.command(name="image")(image)


def image(
    project: Annotated[Path, typer.Argument(help="The folder with the bentofile.yaml.")] = Path(),
    name: Annotated[
        str | None, typer.Option(help="What the image is called; by default what the bentofile.yaml says.")
    ] = None,
    opt: Annotated[
        list[str] | None,
        typer.Option(
            help="An option of docker build as NAME=VALUE, such as network=host.", metavar="NAME=VALUE"
        ),
    ] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print name and labels as JSON.")] = False,
) -> None:
    """Build the service of a project as an image, named and labelled by version.

    Runs what `bentoml build` and `bentoml containerize` run, and adds the labels. Needs docker.

    Example: `ekiben image` in a folder with `service.py` and `bentofile.yaml`, then `docker run --rm -p 3000:3000
    NAME:latest`.
    """
    from ekiben.ship import build_image  # noqa: PLC0415 - BentoML takes a second; `ekiben --help` does without it

    options = dict(_pair(each) for each in opt or ())
    progress = Console(stderr=True)
    with progress.status("building the bento") as status:
        built = build_image(
            project,
            name=name,
            options=options,
            on_line=lambda line: status.update(_shortened(line, progress.width)),
        )
    if as_json:
        typer.echo(json.dumps({"name": built.name, "latest": built.latest, "labels": built.labels}))
        return
    console = Console(highlight=False, soft_wrap=True)
    console.print(f"built [bold]{built.name}[/], also as {built.latest}")
    for label, value in sorted(built.labels.items()):
        console.print(f"  {label}  {value}", style="dim")
    console.print(f"run it: docker run --rm -p 3000:3000 {built.latest}")


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise ShipError(f"--opt {text!r}: expected NAME=VALUE, such as network=host")
    return name.lstrip("-"), value


def _shortened(line: str, width: int) -> str:
    """Return the line as the status shows it: on one line of the terminal, its brackets as they are."""
    return line[: max(width - 4, 20)].replace("[", "\\[")
