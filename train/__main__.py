"""Train the models of this folder, in one process: `python train [NAME...] [--missing] [--quick]`.

A case is a script `train/NAME.py` with a `models/NAME.toml`. Without names all of them are trained; `--missing` leaves
out those that the model store holds already.
"""

from __future__ import annotations

import argparse
import runpy
import sys
from pathlib import Path

import ekiben

TRAIN = Path(__file__).parent
CASES = sorted(
    path.stem
    for path in (TRAIN.parent / "models").glob("*.toml")
    if (TRAIN / path.name).with_suffix(".py").is_file()
)


def main() -> None:
    """Train what was asked for, one script after the other."""
    parser = argparse.ArgumentParser(prog="python train", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which: {', '.join(CASES)}; by default all")
    parser.add_argument("--missing", action="store_true", help="only those that the model store lacks")
    parser.add_argument("--quick", action="store_true", help="a small search: seconds instead of minutes")
    options = parser.parse_args()
    if unknown := sorted(set(options.names) - set(CASES)):
        parser.error(f"no case {', '.join(unknown)}; there are {', '.join(CASES)}")
    names = options.names or CASES
    if options.missing:
        stored = {entry.name for entry in ekiben.models()}
        names = [name for name in names if name not in stored]
    for position, name in enumerate(names, start=1):
        print(f"\n── {name} ({position} of {len(names)}) ──", flush=True)
        _run(TRAIN / f"{name}.py", ["--quick"] if options.quick else [])


def _run(script: Path, arguments: list[str]) -> None:
    """Run a script as if it had been called by itself; what it has imported is there for the next one."""
    before = sys.argv
    sys.argv = [str(script), *arguments]
    try:
        runpy.run_path(str(script), run_name="__main__")
    except SystemExit as stop:
        if stop.code:
            raise SystemExit(f"{script.name} stopped with {stop.code}") from None
    finally:
        sys.argv = before


if __name__ == "__main__":
    main()
