"""Progress: a bar for work that takes longer than a moment."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextlib.contextmanager
def bar(title: str, total: int) -> Iterator[Callable[[str], None]]:
    """Show a bar on the terminal while the block runs; where there is no terminal, show nothing.

    Args:
        title: What is going on.
        total: How many steps there are.

    Yields:
        A function to call after each step, with a few words on what comes next or came out.
    """
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[words]}", markup=False),
    )
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        work = progress.add_task(title, total=total, words="")

        def step(words: str = "") -> None:
            progress.update(work, advance=1, words=words)

        yield step
