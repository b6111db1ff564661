"""Image: a project's service as an OCI image, named and labelled by its version."""

from __future__ import annotations

import logging
import os
import subprocess
from collections import deque
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import bentoml
import msgspec

from ekiben.errors import ShipError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from bentoml import Bento

OCI = "org.opencontainers.image."
"""How the labels begin that the OCI names."""

MODELS_LABEL = "ekiben.models"
"""Which models the image holds, `name:version` separated by commas."""

SHOWN_LINES = 20
"""How many of the engine's last lines a failure shows."""


class BuiltImage(msgspec.Struct, frozen=True):
    """An image that was built.

    Args:
        name: What to run: `name:version`, the same as the bento's tag.
        labels: What `docker inspect` tells about it.
    """

    name: str
    labels: dict[str, str]

    @property
    def latest(self) -> str:
        """The other name of the image, until the next one is built.

        >>> BuiltImage("shop:b2k4", {}).latest
        'shop:latest'
        """
        return f"{self.name.partition(':')[0]}:latest"


def build_image(
    project: Path = Path(),
    *,
    name: str | None = None,
    options: Mapping[str, Any] | None = None,
    on_line: Callable[[str], None] | None = None,
) -> BuiltImage:
    """Build the bento of a project and its image, with docker.

    Args:
        project: The folder with the `bentofile.yaml`.
        name: What bento and image are called; by default what the `bentofile.yaml` says.
        options: Options of `docker build` without the dashes, such as `{"network": "host"}`.
        on_line: Is called with each line that BentoML and the engine say.

    Returns:
        The image, as `name:version` and as `name:latest`.

    Raises:
        ShipError: There is no engine, or the bento or the image could not be built; the message holds the reason.
    """
    file = (project / "bentofile.yaml").resolve()
    if not file.is_file():
        raise ShipError(f"{file} is not there; it tells BentoML what to pack")
    _check_engine()
    with _heard(on_line) as last_lines:
        try:
            bento = bentoml.bentos.build_bentofile(str(file), name=name, build_ctx=str(file.parent))
        except Exception as error:  # BentoML, and whatever the service does when it is imported
            raise ShipError(f"the bento of {file.parent} could not be built: {error}") from error
        image = BuiltImage(name=str(bento.tag), labels=_labels(bento, file.parent))
        with _builder():
            done: Any = bentoml.container.build(
                bento.tag, image_tag=(image.name, image.latest), label=image.labels, **(options or {})
            )
    if done is None:  # so BentoML says that it failed; the reason is in what it logged
        raise ShipError("\n".join((f"the image {image.name} could not be built:", *last_lines)))
    return image


def _check_engine() -> None:
    try:
        done = _docker("info", "--format", "{{.ServerVersion}}")
    except FileNotFoundError:
        raise ShipError("docker is not installed; an image is built with it") from None
    if done.returncode != 0:
        raise ShipError(f"the docker engine does not answer; is it running? {done.stderr.strip()}")


def _labels(bento: Bento, project: Path) -> dict[str, str]:
    """Return what an image tells about itself without being run."""
    labels = {
        f"{OCI}title": bento.tag.name,
        f"{OCI}version": str(bento.tag.version),
        f"{OCI}created": bento.creation_time.isoformat(),
        MODELS_LABEL: ",".join(sorted(str(model.tag) for model in bento.info.all_models)),
    }
    commit = _commit(project)
    return labels | ({f"{OCI}revision": commit} if commit else {})


def _commit(project: Path) -> str | None:
    """Return the commit that the project stands at, if git knows it."""
    command = ("git", "-C", str(project), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*")
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - a fixed command
    except FileNotFoundError:
        return None
    return done.stdout.strip() or None


def _docker(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = ("docker", *arguments)
    return subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own, fixed commands


@contextmanager
def _builder() -> Iterator[None]:
    """Choose docker's classic builder where BuildKit is not installed; BentoML would ask for BuildKit and fail."""
    variable = "DOCKER_BUILDKIT"
    before = os.environ.get(variable)
    os.environ[variable] = before or str(int(_docker("buildx", "version").returncode == 0))
    try:
        yield
    finally:
        if before is None:
            del os.environ[variable]
        else:
            os.environ[variable] = before


@contextmanager
def _heard(on_line: Callable[[str], None] | None) -> Iterator[deque[str]]:
    """Hand what BentoML logs to `on_line` instead of the terminal, and keep the last lines."""
    last: deque[str] = deque(maxlen=SHOWN_LINES)
    logger = logging.getLogger("bentoml")
    handlers, level, propagate = logger.handlers, logger.level, logger.propagate
    logger.handlers = [_Listener(last, on_line)]
    logger.propagate = False
    logger.setLevel(logging.INFO)
    try:
        yield last
    finally:
        logger.handlers, logger.propagate = handlers, propagate
        logger.setLevel(level)


class _Listener(logging.Handler):
    def __init__(self, last: deque[str], on_line: Callable[[str], None] | None) -> None:
        super().__init__()
        self._last = last
        self._on_line = on_line

    def emit(self, record: logging.LogRecord) -> None:
        line = record.getMessage().strip()
        if line:
            self._last.append(line)
            if self._on_line is not None:
                self._on_line(line)
