"""What all tests share: a model store of their own, so that none touches that of the person who runs them."""

from __future__ import annotations

import os
import tempfile
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

_HOME = pytest.StashKey[tempfile.TemporaryDirectory[str]]()


def pytest_configure(config: pytest.Config) -> None:
    # BentoML reads these when it is first imported, so they are set before any test module is.
    home = tempfile.TemporaryDirectory(prefix="ekiben-tests-")
    config.stash[_HOME] = home
    os.environ["BENTOML_HOME"] = home.name
    os.environ["BENTOML_DO_NOT_TRACK"] = "True"


def pytest_unconfigure(config: pytest.Config) -> None:
    config.stash[_HOME].cleanup()


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    # Looking for the examples in docstrings, pytest would import what is here for tests to run or to import, too.
    name = collection_path.name
    return True if name.endswith(".py") and not name.startswith(("test_", "conftest")) else None
