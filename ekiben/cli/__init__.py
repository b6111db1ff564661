"""The command line: `ekiben --help`."""

from ekiben.cli.app import main

__all__ = ["main"]
