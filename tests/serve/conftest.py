"""A store with four small models, and a server of them."""

import subprocess
import sys

import pytest
import serving


@pytest.fixture(scope="session")
def store_home(tmp_path_factory):
    """A folder with a model store of its own, filled by a process of its own."""
    home = tmp_path_factory.mktemp("bentoml")
    subprocess.run([sys.executable, serving.__file__], env=serving.environment(home), check=True, timeout=120)
    return home


@pytest.fixture(scope="session")
def server(store_home):
    """The four models, served by two workers; `gate` is the default."""
    running = serving.adhoc(store_home, workers=2)
    running.wait()
    yield running
    running.stop()
