"""`ekiben models`, `card`, `alias`, `delete`: what the store holds."""

from __future__ import annotations

import datetime as dt
import sys
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.markdown import Markdown
from rich.table import Table

from ekiben import policy, store
from ekiben.errors import StoreError

CHAMPION = "champion"
"""The alias of the version that is meant to be served: it has to meet the gates."""

_UNITS = (("y", 365 * 86_400), ("d", 86_400), ("h", 3600), ("min", 60))


def register(app: typer.Typer) -> None:
    """Add the commands of this module to `app`."""
    app.command(name="models")(models)
    app.command(name="card")(card)
    app.command(name="alias")(alias)
    app.command(name="delete")(delete)


def models(
    *, json: Annotated[bool, typer.Option("--json", help="Print JSON, sizes in bytes, times in UTC.")] = False
) -> None:
    """List the models of the store.

    The metric is the one that was stated first when the model was saved.
    """
    entries = store.models()
    if json:
        typer.echo(msgspec.json.format(msgspec.json.encode(entries), indent=2).decode())
        return
    console = Console()
    if not entries:
        console.print("The store holds no model yet; try: ekiben fit FILE --target COLUMN --name NAME")
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    for title in ("Name", "Version", "Alias", "Age", "Metric", "Size"):
        table.add_column(title, justify="right" if title in {"Age", "Size"} else "left", no_wrap=True)
    for entry in entries:
        metric = "" if entry.metric is None else f"{entry.metric[0]} {entry.metric[1]:.4g}"
        shown = (
            entry.name,
            entry.version,
            ", ".join(entry.aliases),
            age(entry.created),
            metric,
            size(entry.size_bytes),
        )
        table.add_row(*(text.replace("[", "\\[") for text in shown))
    console.print(table)


def card(model: Annotated[str, typer.Argument(help="NAME, NAME:VERSION or NAME:ALIAS.")]) -> None:
    """Print what a model is for, how good it is, what it takes, and where it comes from.

    To a terminal it is laid out; to a file or a pipe it is Markdown.
    """
    text = store.card(model)
    if sys.stdout.isatty():
        Console().print(Markdown(text))
    else:
        typer.echo(text, nl=False)


def alias(
    model: Annotated[str, typer.Argument(help="The NAME of the model.")],
    alias: Annotated[str, typer.Argument(help="The alias, such as champion.")],
    version: Annotated[
        str | None, typer.Argument(help="The version, or another alias of it; by default the newest.")
    ] = None,
    *,
    remove: Annotated[bool, typer.Option("--remove", help="Take the alias away.")] = False,
    anyway: Annotated[
        bool, typer.Option("--anyway", help="Even if the version misses a gate of models/NAME.toml.")
    ] = False,
) -> None:
    """Let MODEL:ALIAS stand for a version.

    A version that misses one of the gates of models/NAME.toml does not become the champion.

    Example: `ekiben alias credit champion`, then `ekiben serve credit:champion`.
    """
    if remove:
        if version is not None:
            raise StoreError("--remove takes no version: `ekiben alias MODEL ALIAS --remove`")
        store.remove_alias(model, alias)
        typer.echo(f"{model}:{alias} stands for nothing any more")
        return
    if alias == CHAMPION and not anyway:
        _check_gates(model, version)
    tag = store.set_alias(model, alias, version)
    typer.echo(f"{model}:{alias} is {tag}")


def _check_gates(model: str, version: str | None) -> None:
    found = store.describe(f"{model}:{version}" if version else model)
    missed = policy.load(model).missed(found.metrics)
    if missed:
        raise StoreError(
            f"{found.tag} does not become the champion: {'; '.join(missed)}; --anyway overrules that"
        )


def delete(
    model: Annotated[str, typer.Argument(help="The exact NAME:VERSION.")],
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Delete one version of a model for good."""
    if store.resolve(model) == model and not yes:
        typer.confirm(f"delete {model} for good?", abort=True)
    store.delete(model)
    typer.echo(f"deleted {model}")


def age(created: str, now: dt.datetime | None = None) -> str:
    """Return how long ago a time was, in its largest unit.

    Args:
        created: ISO 8601 with a zone.
        now: The present; by default the clock's.

    >>> age("2026-11-22T12:00:00Z", dt.datetime(2026, 11, 25, 13, tzinfo=dt.UTC))
    '3 d'
    """
    seconds = ((now or dt.datetime.now(dt.UTC)) - dt.datetime.fromisoformat(created)).total_seconds()
    for unit, length in _UNITS:
        if seconds >= length:
            return f"{int(seconds // length)} {unit}"
    return "now"


def size(size_bytes: int) -> str:
    """Return a size in the largest unit that leaves at least 1.

    >>> size(123), size(98_415), size(3_500_000)
    ('123 B', '98.4 kB', '3.5 MB')
    """
    scaled = float(size_bytes)
    for unit in ("B", "kB", "MB"):
        if scaled < 1000:
            return f"{scaled:.0f} {unit}" if unit == "B" else f"{scaled:.1f} {unit}"
        scaled /= 1000
    return f"{scaled:.1f} GB"
