"""`ekiben fit`: from a table to a stored model."""

from __future__ import annotations

import json
from pathlib import Path  # noqa: TC003 - typer reads it when the command is registered
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Callable

    from ekiben.fit.fitting import Fitted


def register(app: typer.Typer) -> None:
    """Add the commands of this module to `app`."""
    app.command(name="fit")(fit)


def fit(
    file: Annotated[Path, typer.Argument(help="The table: .csv, .tsv or .parquet, one row per case.")],
    target: Annotated[str, typer.Option(help="The column to predict.")],
    name: Annotated[str, typer.Option(help="What the model is to be called: small letters, digits, '-'.")],
    *,
    drop: Annotated[
        str, typer.Option(help="Columns to leave out, such as those only known after the answer: 'A,B'.")
    ] = "",
    keep: Annotated[
        str, typer.Option(help="Columns to keep although they look like identifiers: 'A,B'.")
    ] = "",
    task: Annotated[
        str | None, typer.Option(help="classification or regression; by default the target decides.")
    ] = None,
    positive: Annotated[str | None, typer.Option(help="Of two labels, the one that is looked for.")] = None,
    time: Annotated[
        str | None,
        typer.Option(help="The column that says when: the last fifth is held out, not a random one."),
    ] = None,
    purpose: Annotated[str | None, typer.Option(help="What the model is for, in a sentence.")] = None,
    domain: Annotated[str, typer.Option(help="Its field: finance, medicine, retail, …")] = "general",
    seed: Annotated[int, typer.Option(help="For everything that is drawn at random.", min=0)] = 0,
    quick: Annotated[
        bool, typer.Option("--quick", help="A small search: seconds instead of minutes.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the outcome as JSON, and nothing else.")
    ] = False,
) -> None:
    """Learn a model from a table and save it, ready to be served.

    Columns that say nothing (constants, identifiers, repetitions) are left out, numbers and dates written as text are
    read, and every decision is told. A fifth of the rows is held out. Linear models, a tree, a forest, two kinds of
    boosting and, where the rows allow, a support vector machine and a small neural net compete by cross-validation;
    the best is tuned, judged on the rows held out, and saved. `models/NAME.toml` is drafted unless it is there.

    For example:

    `ekiben fit churn.csv --target Churn --name churn` and then `ekiben serve churn`

    `ekiben fit bikes.csv --target cnt --name bikes --drop casual,registered --quick`

    `ekiben fit sales.parquet --target units --name sales --time week --task regression`
    """
    from ekiben.fit.fitting import check_name, save  # noqa: PLC0415 - scikit-learn takes a second to import
    from ekiben.fit.fitting import fit as learn  # noqa: PLC0415 - as above
    from ekiben.fit.flags import names  # noqa: PLC0415 - as above
    from ekiben.fit.report import show  # noqa: PLC0415 - as above
    from ekiben.fit.source import read  # noqa: PLC0415 - as above
    from ekiben.fit.table import prepare  # noqa: PLC0415 - as above

    check_name(name)
    tell: Callable[[object], None] = (lambda _: None) if as_json else show
    table = prepare(
        read(file), target, drop=names(drop), keep=names(keep), wanted=task, positive=positive, time=time
    )
    fitted = learn(table, seed=seed, quick=quick, tell=tell)
    said = purpose or f"Predicts {target!r} from {table.X.shape[1]} columns of {file.name}"
    tag, drafted = save(fitted, name, purpose=said, domain=domain)
    if as_json:
        typer.echo(json.dumps(_outcome(tag, fitted), indent=2))
        return
    if drafted:
        tell(f"wrote {drafted}: say there what the model is for, and what a next version must reach")
    tell(f"saved {tag}\nnext: ekiben serve {name}")


def _outcome(tag: str, fitted: Fitted) -> dict[str, object]:
    comparison = fitted.comparison
    return {
        "model": tag,
        "task": fitted.table.task,
        "estimator": comparison.best,
        "metric": comparison.metric,
        "metrics": fitted.metrics,
        "rows": {"learned": len(fitted.part.X_train), "held_out": len(fitted.part.X_test)},
        "columns": list(fitted.table.X.columns),
        "comparison": [
            {"name": entry.name, "mean": _finite(entry.mean), "std": _finite(entry.std), "fit_s": entry.fit_s}
            for entry in comparison.scores
        ],
        "notes": list(fitted.table.notes),
        "warnings": [*fitted.table.warnings, *fitted.warnings],
    }


def _finite(value: float) -> float | None:
    return value if abs(value) < float("inf") else None
