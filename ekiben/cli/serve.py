"""`ekiben serve`: any models of the store as an API, without a `service.py`."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Annotated

import typer
from rich.console import Console

from ekiben import store
from ekiben.errors import EkibenError

TARGET = "ekiben.serve.adhoc:Models"
MODELS_VARIABLE = "EKIBEN_SERVE_MODELS"
WORKERS_VARIABLE = "EKIBEN_SERVE_WORKERS"


def register(app: typer.Typer) -> None:
    """Add the commands of this module to `app`."""
    app.command(name="serve")(serve)


def serve(
    models: Annotated[
        list[str],
        typer.Argument(help="Models: NAME, NAME:VERSION or NAME:ALIAS. The first answers /predict."),
    ],
    port: Annotated[int, typer.Option(help="Where to listen.", min=1, max=65535)] = 3000,
    host: Annotated[str, typer.Option(help="On which address; 0.0.0.0 for all.")] = "127.0.0.1",
    workers: Annotated[
        int | None, typer.Option(help="Processes; by default one for each core.", min=1)
    ] = None,
) -> None:
    """Serve models of the store.

    Example: `ekiben serve churn` answers `POST http://localhost:3000/predict/churn`; `ekiben models` lists what there is.
    """
    tags = [store.resolve(model) for model in models]
    names = [tag.partition(":")[0] for tag in tags]
    if len(set(names)) < len(names):
        raise EkibenError(
            f"a model is named twice: {', '.join(models)}; one service serves one version of a model"
        )
    environment = {
        **os.environ,
        MODELS_VARIABLE: ",".join(tags),
        WORKERS_VARIABLE: str(workers) if workers else "cpu_count",
        "BENTOML_DO_NOT_TRACK": "True",
    }
    console = Console(stderr=True)
    for tag, name in zip(tags, names, strict=True):
        console.print(f"serving [bold]{tag}[/] at http://{host}:{port}/predict/{name}", highlight=False)
    console.print(f"docs at http://{host}:{port}/, Ctrl-C stops", highlight=False)
    command = [sys.executable, "-m", "bentoml", "serve", TARGET, "--port", str(port), "--host", host]
    command += ["--timeout-graceful-shutdown", "5"]
    if os.name == "posix":
        os.execve(sys.executable, command, environment)  # noqa: S606 - becomes the server, so that signals reach it
    raise typer.Exit(subprocess.run(command, env=environment, check=False).returncode)  # noqa: S603 - our own command
