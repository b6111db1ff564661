"""What a training script can be asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from ekiben.fit import Arguments, arguments
from ekiben.fit.flags import names


def test_without_flags_a_script_takes_its_own_data():
    assert arguments("Credit.", target="repaid", argv=[]) == Arguments("repaid", None, (), 0, quick=False)


def test_every_flag_is_read():
    line = ["--data", "x.csv", "--target", "y", "--drop", 'a,"b,c"', "--seed", "3", "--quick"]
    assert arguments("Credit.", target="repaid", argv=line) == Arguments(
        "y", Path("x.csv"), ("a", "b,c"), 3, quick=True
    )


def test_help_shows_the_docstring_of_the_script(capsys):
    with pytest.raises(SystemExit):
        arguments("Credit: who\n\n    pays back.", target="repaid", argv=["--help"])
    assert "Credit: who\n\n    pays back." in capsys.readouterr().out


def test_names_may_hold_blanks_and_quoted_commas():
    assert names("Product ID, UDI") == ("Product ID", "UDI")
    assert names('"a,b"') == ("a,b",)
    assert names("") == ()
