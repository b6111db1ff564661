"""Journal: how far a run came, so that another one can go on from there.

Beside `OUTPUT` lies a folder `OUTPUT.part` while a run is not finished:

- `rows` and `errors`: what has been written so far, which only grows;
- `journal`: one line of JSON for what is being done, then one for each part that is safely on the disk: how many rows of
  the input it ends with, and how long the two files are then.

A part counts when its line is complete. What a killed run wrote behind the last complete line is cut off again, so
nothing is lost and nothing is there twice.
"""

from __future__ import annotations

import os
import shutil
import sys
from typing import TYPE_CHECKING, Any, Self

import msgspec

from ekiben.errors import EkibenError, TableError
from ekiben.score.sink import sync_folder

if TYPE_CHECKING:
    from pathlib import Path
    from typing import BinaryIO

PROTOCOL = 1
"""The form of the journal; a run of another form is not gone on with."""


MAX_SHOWN_CHARS = 200


class Task(msgspec.Struct, frozen=True):
    """What is being done; a run only goes on if all of it is still the same.

    Args:
        model: The model, `name:version`.
        input: Size, time of change and columns of the input.
        settings: What else decides the output.
        protocol: The form of the journal.
    """

    model: str
    input: dict[str, Any]
    settings: dict[str, Any]
    protocol: int = PROTOCOL

    def differences(self, other: Task) -> list[str]:
        """Return in words what is not the same in `other`, the earlier one."""
        found = [
            f"{name} was {_short(getattr(other, name))} and is {_short(getattr(self, name))}"
            for name in ("protocol", "model")
            if getattr(self, name) != getattr(other, name)
        ]
        for part in ("input", "settings"):
            old, new = getattr(other, part), getattr(self, part)
            found += [
                f"{name} of the {part} was {_short(old.get(name))} and is {_short(new.get(name))}"
                for name in sorted({*old, *new})
                if old.get(name) != new.get(name)
            ]
        return found


class Mark(msgspec.Struct, frozen=True):
    """How far a run has come.

    Args:
        rows: Rows of the input that are done.
        scored: How many of them were scored.
        refused: How many were not.
        rows_bytes: Length of `rows`.
        errors_bytes: Length of `errors`.
        end: Whether that is all.
    """

    rows: int = 0
    scored: int = 0
    refused: int = 0
    rows_bytes: int = 0
    errors_bytes: int = 0
    end: bool = False


class Journal:
    """The folder of a run, locked against others while it is open.

    Args:
        output: The file that the run makes.

    Raises:
        EkibenError: Another process works on it.
    """

    def __init__(self, output: Path) -> None:
        self.folder = folder_of(output)
        self.rows = self.folder / "rows"
        self.errors = self.folder / "errors"
        self.mark = Mark()
        self.folder.mkdir(exist_ok=True)
        self._file: BinaryIO = (self.folder / "journal").open("ab+")
        if not _lock(self._file):
            self._file.close()
            raise EkibenError(
                f"another process is scoring to {output} just now; wait for it, or write to another file"
            )
        self._lines = self._read()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *reason: object) -> None:
        self._file.close()

    @property
    def is_new(self) -> bool:
        """Whether there is nothing to go on with: not even the beginning was completed."""
        return len(self._lines) < 2

    def begin(self, task: Task, head: bytes, errors_head: bytes) -> None:
        """Begin from nothing.

        Args:
            task: What is being done.
            head: What `rows` begins with.
            errors_head: What `errors` begins with.
        """
        for path, content in ((self.rows, head), (self.errors, errors_head)):
            with path.open("wb") as file:
                file.write(content)
                _sync(file)
        self._file.truncate(0)
        self._append(task)
        self.put(Mark(rows_bytes=len(head), errors_bytes=len(errors_head)))
        sync_folder(self.folder)

    def go_on(self, task: Task) -> None:
        """Go on where an earlier run stopped.

        Raises:
            TableError: That run did something else, or its files are not what the journal says.
        """
        try:
            earlier = msgspec.json.decode(self._lines[0], type=Task)
            self.mark = msgspec.json.decode(self._lines[-1], type=Mark)
        except msgspec.DecodeError as error:
            raise TableError(
                f"{self.folder / 'journal'} cannot be read ({error}); start again with --restart"
            ) from None
        differences = task.differences(earlier)
        if differences:
            raise TableError(
                f"the unfinished run in {self.folder} cannot be resumed: {'; '.join(differences)}. "
                "Restore what it was, or start again with --restart"
            )
        for path, size_bytes in ((self.rows, self.mark.rows_bytes), (self.errors, self.mark.errors_bytes)):
            if self.mark.end and not path.exists():
                continue  # it is where it belongs already
            if not path.exists() or path.stat().st_size < size_bytes:
                raise TableError(f"{path} is shorter than the journal says; start again with --restart")
            os.truncate(path, size_bytes)

    def put(self, mark: Mark) -> None:
        """Note that everything up to `mark` is safely on the disk."""
        self._append(mark)
        self.mark = mark

    def remove(self) -> None:
        """Remove the folder; the run is finished."""
        self._file.close()
        shutil.rmtree(self.folder)

    def _append(self, line: Task | Mark) -> None:
        self._file.write(msgspec.json.encode(line) + b"\n")
        _sync(self._file)

    def _read(self) -> list[bytes]:
        """Return the complete lines, and cut off what a killed run left of the next one."""
        self._file.seek(0)
        content = self._file.read()
        complete = content[: content.rfind(b"\n") + 1]
        if len(complete) < len(content):
            self._file.truncate(len(complete))
        return complete.splitlines()


def folder_of(output: Path) -> Path:
    """Return where an unfinished run of `output` lies."""
    return output.with_name(output.name + ".part")


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= MAX_SHOWN_CHARS else text[: MAX_SHOWN_CHARS - 1] + "…"


def _sync(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


def _lock(file: BinaryIO) -> bool:
    """Lock `file` until it is closed, or its process ends in whatever way; return whether that could be done."""
    try:
        if sys.platform == "win32":
            import msvcrt  # noqa: PLC0415 - only there

            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl  # noqa: PLC0415 - only elsewhere

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
