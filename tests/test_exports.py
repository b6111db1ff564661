"""What users may rely on: sorted, documented, typed, and free until it is used."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import ekiben

ROOT = Path(__file__).parents[1]

HEAVY = {"bentoml", "httpx", "msgspec", "numpy", "pandas", "pyarrow", "scipy", "sklearn", "skops", "xgboost"}


def test_all_is_sorted_and_without_doubles():
    assert ekiben.__all__ == sorted(set(ekiben.__all__))


@pytest.mark.parametrize("name", ekiben.__all__)
def test_a_name_is_there_and_documented(name):
    found = getattr(ekiben, name)
    assert inspect.getdoc(found), f"ekiben.{name} has no docstring"
    if inspect.isclass(found):
        assert found.__doc__ != found.__base__.__doc__, f"ekiben.{name} says only what its base says"


def test_type_checkers_see_the_same_names_as_programs():
    tree = ast.parse(Path(ekiben.__file__).read_text())
    typed = {
        alias.asname or alias.name
        for block in tree.body
        if isinstance(block, ast.If) and ast.unparse(block.test) == "TYPE_CHECKING"
        for statement in block.body
        if isinstance(statement, ast.ImportFrom) and str(statement.module).startswith("ekiben")
        for alias in statement.names
    }
    assert typed == set(ekiben.__all__)


def test_dir_lists_every_name():
    assert set(ekiben.__all__) <= set(dir(ekiben))


def test_a_name_that_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match="Sevice"):
        ekiben.Sevice  # noqa: B018 - the access is the test


def test_importing_ekiben_loads_no_other_library():
    code = f"import sys, ekiben; print(*sorted({HEAVY!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_the_version_is_that_of_the_project():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["version"] == ekiben.__version__


def test_the_changelog_tells_of_this_version():
    assert f"\n## {ekiben.__version__} " in (ROOT / "CHANGELOG.md").read_text()


def test_the_types_are_published():
    assert Path(ekiben.__file__).with_name("py.typed").is_file()
