"""`ekiben predict`: one row or a few, from the command line."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import msgspec
import typer

from ekiben.errors import MalformedError


def register(app: typer.Typer) -> None:
    """Add the commands of this module to `app`."""
    app.command(name="predict")(predict)


def predict(
    model: Annotated[
        str, typer.Argument(metavar="MODEL", help="NAME, NAME:VERSION or NAME:ALIAS; with --url, NAME.")
    ],
    rows: Annotated[
        str, typer.Argument(help="One JSON record, a list of them, or - to read that from standard input.")
    ],
    *,
    url: Annotated[
        str | None,
        typer.Option(help="Ask this server, such as http://localhost:3000, instead of answering here."),
    ] = None,
    fields: Annotated[
        str | None, typer.Option(help="What to answer: 'prediction,probabilities'; by default as saved.")
    ] = None,
) -> None:
    """Predict one row, or a few, and print the answer as JSON.

    For example:

    `ekiben predict neuron '{"feature1": 2, "feature2": 3, "feature3": 4}'`

    `ekiben predict credit - --url http://localhost:3000 < rows.json`
    """
    body = sys.stdin.buffer.read() if rows == "-" else rows.encode(errors="surrogateescape")
    chosen = None if fields is None else [name.strip() for name in fields.split(",") if name.strip()]
    answers = _here(model, body, chosen) if url is None else _there(url, model, body, chosen)
    typer.echo(msgspec.json.encode(answers).decode())


def _here(model: str, body: bytes, fields: list[str] | None) -> Any:
    from ekiben.cli import local  # noqa: PLC0415 - heavy

    engine = local.load(model).engine
    output = engine.signature.output
    wanted = output.choose(fields)
    request = engine.signature.decoder().decode(body)
    answers = engine.predict_rows(request.rows, wanted).answers(output, wanted)
    return answers[0] if request.single else answers


def _there(url: str, model: str, body: bytes, fields: list[str] | None) -> Any:
    from ekiben.client import Client  # noqa: PLC0415 - as above

    try:
        rows = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise MalformedError(
            f"the rows are not JSON: {error}; expected a record, or a list of records"
        ) from None
    with Client(url) as client:
        if isinstance(rows, dict):
            return client.predict(model, rows, fields=fields)
        return client.predict_many(model, rows, fields=fields)
