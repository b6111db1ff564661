"""Report: what was done and reached, for people, on standard output."""

from __future__ import annotations

from collections.abc import Mapping

from rich.console import Console
from rich.table import Table as Grid
from rich.text import Text

from ekiben.fit.comparison import BASELINE, Comparison
from ekiben.fit.table import Table
from ekiben.fit.tuning import Tuned


def show(*things: object, console: Console | None = None) -> None:
    """Print things in turn: a table's sentences, a comparison, what tuning found, figures, or plain text.

    Args:
        things: Tables, comparisons, tunings, mappings of names to numbers, or text.
        console: Where to; by default standard output.
    """
    console = console or Console(highlight=False)
    for thing in things:
        if isinstance(thing, Table):
            _show_table(thing, console)
        elif isinstance(thing, Comparison):
            _show_comparison(thing, console)
        elif isinstance(thing, Tuned):
            _show_tuned(thing, console)
        elif isinstance(thing, Mapping):
            figures = ", ".join(f"{name} {value:.4g}" for name, value in thing.items())
            console.print(Text("  " + figures), soft_wrap=True)
        else:
            # Text, not markup: a column may be called "Torque [Nm]".
            console.print(Text(str(thing)), soft_wrap=True)


def _show_table(table: Table, console: Console) -> None:
    kinds = [("number", table.numbers), ("category", table.categories), ("timestamp", table.timestamps)]
    columns = ", ".join(f"{len(names)} {noun}" for noun, names in kinds if names)
    head = f"{len(table.X):,} rows; columns: {columns}; target {table.target!r} ({table.task})"
    console.print(Text(head), soft_wrap=True)
    for note in table.notes:
        console.print(Text(f"  · {note}"), soft_wrap=True)
    for warning in table.warnings:
        console.print(Text(f"  ! {warning}", style="yellow"), soft_wrap=True)


def _show_comparison(comparison: Comparison, console: Console) -> None:
    grid = Grid(title=f"{comparison.folds}-fold cross-validation", title_justify="left", title_style="")
    grid.add_column("model")
    grid.add_column(comparison.metric, justify="right")
    grid.add_column("fit and check", justify="right")
    for entry in comparison.scores:
        reached = entry.failure or f"{entry.mean:.4f} ± {entry.std:.4f}"
        style = "bold" if entry.name == comparison.best else "dim" if entry.name == BASELINE else ""
        grid.add_row(Text(entry.name), Text(reached), f"{entry.fit_s:.2f} s", style=style)
    console.print(grid)


def _show_tuned(tuned: Tuned, console: Console) -> None:
    tried = f"{tuned.trials} settings tried"
    if tuned.trials < tuned.wanted:
        tried += f" of {tuned.wanted} (stopped after {tuned.timeout_s:g} s; a faster machine tries more)"
    console.print(
        Text(f"tuned: {tuned.metric} {tuned.start:.4f} -> {tuned.score:.4f}, {tried}"), soft_wrap=True
    )
    if not tuned.params:
        console.print(Text("  nothing better than the settings that it began with"))
        return
    settings = ", ".join(f"{name.split('__')[-1]} {_short(value)}" for name, value in tuned.params.items())
    console.print(Text(f"  {settings}"), soft_wrap=True)


def _short(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
