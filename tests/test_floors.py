"""Imports go down only. This file holds the order, once, and reads every import of the package."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

ROOT = Path(__file__).parents[1]

FLOORS: tuple[tuple[str, ...], ...] = (
    ("errors",),
    ("signature", "policy", "cost", "lane", "threads"),
    ("artifact",),
    ("engine",),
    ("store",),
    ("batching",),
    ("runner",),
    ("serve",),
    ("client",),
    ("score",),
    ("fit",),
    ("ship",),
    ("cli",),
    ("__main__",),
)
"""From the ground up. A module imports from floors below its own, and from its own package."""

HEIGHT = {name: level for level, names in enumerate(FLOORS) for name in names}

BENTOML_ROOMS = {"store", "runner", "serve", "ship"}
"""Where BentoML is imported, and nowhere else."""

ON_THEIR_OWN = {"client", "score"}
"""What a caller installs: these reach neither BentoML nor scikit-learn, by whatever way."""

NOT_PUBLIC_BUT_NEEDED = {("ekiben.serve.service", "_bentoml_sdk.Service")}
"""The subclass of BentoML's service; everything else of BentoML is used through its public names."""


class Import(NamedTuple):
    """One import: which module asks for which full name, and where."""

    importer: str
    name: str
    line: int


class Reader(ast.NodeVisitor):
    """Collects the imports of one module, those inside functions too, those for type checkers not."""

    def __init__(self, module: str) -> None:
        self.module = module
        self.found: list[Import] = []

    def visit_If(self, node: ast.If) -> None:
        if ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING"):
            for other in node.orelse:
                self.visit(other)
        else:
            self.generic_visit(node)

    def visit_Import(self, node: ast.Import) -> None:
        self.found += [Import(self.module, alias.name, node.lineno) for alias in node.names]

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        assert node.level == 0, f"{self.module}:{node.lineno}: a relative import; write the full name"
        self.found += [
            Import(self.module, f"{node.module}.{alias.name}", node.lineno) for alias in node.names
        ]

    def visit_Call(self, node: ast.Call) -> None:
        called = ast.unparse(node.func).rpartition(".")[2]
        if called in ("import_module", "__import__") and node.args and isinstance(node.args[0], ast.Constant):
            self.found.append(Import(self.module, str(node.args[0].value), node.lineno))
        self.generic_visit(node)


def sources_of(folder: Path) -> dict[str, str]:
    """Return the source of every module of a package, by full name."""
    return {
        ".".join(path.relative_to(folder.parent).with_suffix("").parts).removesuffix(
            ".__init__"
        ): path.read_text()
        for path in sorted(folder.rglob("*.py"))
    }


def imports_of(sources: Mapping[str, str]) -> list[Import]:
    """Return every import of these modules, its name cut back to a module where it is one of theirs."""
    found: list[Import] = []
    for module, source in sources.items():
        reader = Reader(module)
        reader.visit(ast.parse(source))
        found += [each._replace(name=_module(each.name, sources)) for each in reader.found]
    return found


def _module(name: str, sources: Mapping[str, str]) -> str:
    """Return the module that a full name of ours lies in; another's name as it is."""
    rooms = {f"ekiben.{each}" for each in HEIGHT}
    while name.startswith("ekiben.") and name not in sources and name not in rooms:
        name = name.rpartition(".")[0]
    return name


def room(module: str) -> str:
    """Return the part of a name that stands on a floor: `serve` of `ekiben.serve.service`."""
    return module.split(".")[1] if "." in module else ""


def upward(imports: Iterable[Import]) -> list[str]:
    """Return a line for every import that does not go down."""
    wrong = []
    for each in imports:
        if not each.name.startswith("ekiben"):
            continue
        above, below = room(each.importer), room(each.name)
        if above == below or (not below and above):
            continue  # the same package; or `ekiben` itself, which imports nothing
        if above not in HEIGHT or below not in HEIGHT or HEIGHT[below] >= HEIGHT[above]:
            wrong.append(f"{each.importer}:{each.line} imports {each.name}")
    return wrong


def circles(imports: Iterable[Import]) -> list[str]:
    """Return one line for a circle of modules, if there is one."""
    edges: dict[str, set[str]] = {}
    for each in imports:
        if each.name.startswith("ekiben"):
            edges.setdefault(each.importer, set()).add(each.name)
    done: set[str] = set()

    def walk(module: str, path: tuple[str, ...]) -> Iterator[str]:
        if module in path:
            yield " -> ".join((*path[path.index(module) :], module))
        elif module not in done:
            for other in sorted(edges.get(module, ())):
                yield from walk(other, (*path, module))
            done.add(module)

    return [line for module in sorted(edges) for line in walk(module, ())]


def reached(start: set[str], imports: Iterable[Import]) -> set[str]:
    """Return every name that the modules of these rooms import, directly or through others of the package."""
    edges: dict[str, set[str]] = {}
    for each in imports:
        edges.setdefault(each.importer, set()).add(each.name)
    pending = [module for module in edges if room(module) in start]
    seen: set[str] = set()
    while pending:
        for name in edges.get(pending.pop(), set()) - seen:
            seen.add(name)
            pending.append(name)
    return seen


def foreign(imports: Iterable[Import], *libraries: str) -> list[Import]:
    """Return the imports of these libraries."""
    return [each for each in imports if each.name.partition(".")[0] in libraries]


@pytest.fixture(scope="module")
def imports() -> list[Import]:
    return imports_of(sources_of(ROOT / "ekiben"))


def test_imports_go_down_only(imports):
    assert upward(imports) == []


def test_there_is_no_circle(imports):
    assert circles(imports) == []


def test_every_room_has_its_floor():
    rooms = {
        path.stem
        for path in (ROOT / "ekiben").iterdir()
        if path.suffix == ".py" or (path / "__init__.py").exists()
    }
    assert rooms - {"__init__"} == set(HEIGHT)


def test_bentoml_is_imported_in_its_rooms_only(imports):
    found = foreign(imports, "bentoml", "_bentoml_sdk", "_bentoml_impl", "bentoml_cli")
    assert {room(each.importer) for each in found} <= BENTOML_ROOMS


def test_bentoml_is_used_through_its_public_names(imports):
    private = {
        (each.importer, each.name)
        for each in foreign(imports, "bentoml", "_bentoml_sdk", "_bentoml_impl", "bentoml_cli")
        if any(part.startswith("_") for part in each.name.split("."))
    }
    assert private == NOT_PUBLIC_BUT_NEEDED


def test_client_and_score_reach_neither_bentoml_nor_scikit_learn(imports):
    roots = {name.partition(".")[0] for name in reached(ON_THEIR_OWN, imports)}
    assert roots.isdisjoint({"bentoml", "_bentoml_sdk", "_bentoml_impl", "sklearn", "xgboost", "skops"})


@pytest.mark.parametrize(
    ("module", "heavy"),
    [
        ("ekiben.client", {"bentoml", "sklearn", "xgboost", "pandas", "pyarrow"}),
        ("ekiben.score", {"bentoml", "sklearn", "xgboost"}),
    ],
)
def test_importing_what_callers_use_does_not_load_what_servers_use(module, heavy):
    code = f"import sys, {module}; print(*sorted({heavy!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.split() == []


# The same reading must find what is wrong in sources that are wrong.


def test_an_upward_import_is_found_inside_a_function_too():
    sources = {
        "ekiben.errors": "def late():\n    from ekiben.serve.service import Service",
        "ekiben.serve.service": "from ekiben.errors import EkibenError",
    }
    assert upward(imports_of(sources)) == ["ekiben.errors:2 imports ekiben.serve.service"]


def test_a_sideways_import_is_found():
    assert upward(imports_of({"ekiben.policy": "import ekiben.signature"})) == [
        "ekiben.policy:1 imports ekiben.signature"
    ]


def test_a_room_without_a_floor_is_found():
    assert upward(imports_of({"ekiben.helpers": "import ekiben.errors"})) == [
        "ekiben.helpers:1 imports ekiben.errors"
    ]


def test_an_import_for_the_type_checker_is_exempt():
    source = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from ekiben.serve import Service"
    assert upward(imports_of({"ekiben.errors": source})) == []


def test_a_circle_inside_one_room_is_found():
    sources = {
        "ekiben.serve.door": "from ekiben.serve.limits import Limits",
        "ekiben.serve.limits": "from ekiben.serve import door",
    }
    assert circles(imports_of(sources)) == ["ekiben.serve.door -> ekiben.serve.limits -> ekiben.serve.door"]


def test_a_library_reached_through_another_room_is_found():
    sources = {
        "ekiben.client.client": "from ekiben.signature import frame",
        "ekiben.signature.frame": "def late():\n    import sklearn.base",
    }
    assert "sklearn.base" in reached({"client"}, imports_of(sources))


def test_an_import_by_name_is_found():
    source = "from importlib import import_module\nimport_module('bentoml.models')"
    assert [each.name for each in foreign(imports_of({"ekiben.engine": source}), "bentoml")] == [
        "bentoml.models"
    ]
