import re

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ekiben import errors
from ekiben.errors import (
    AddressNotFoundError,
    DeadlineError,
    EkibenError,
    InputError,
    ModelNotFoundError,
    OverloadedError,
    Problem,
    RowError,
    by_code,
    nearest,
    quote,
)


def test_the_drawing_shows_the_tree_as_it_is():
    drawn = re.findall(r"[├└]── (\w+)", errors.__doc__)
    made = {kind.__name__ for kind in by_code().values()} - {"EkibenError"}
    assert sorted(drawn) == sorted(made)


def test_every_error_has_a_code_and_a_title_of_its_own():
    made = [
        kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, EkibenError)
    ]
    assert len(by_code()) == len(made) == len({kind.title for kind in made})


@pytest.mark.parametrize(
    "error",
    [
        InputError([Problem("column 'a' is missing", row=3, column="a")], total=7),
        ModelNotFoundError("credt", ["credit", "fraud"]),
        AddressNotFoundError("/modles", ["/models", "/predict"]),
        RowError(3, "too odd"),
        OverloadedError("full", retry_after_s=2.5),
        DeadlineError("no answer within 3 s"),
    ],
)
def test_an_error_comes_out_of_the_wire_as_it_went_in(error):
    members = msgspec.json.decode(msgspec.json.encode(error.members()))
    made = by_code()[error.code].from_members(str(error), members)
    assert type(made) is type(error)
    assert str(made) == str(error)
    assert made.members() == error.members()


def test_an_input_error_lists_many_problems_and_counts_all():
    error = InputError([Problem(str(n)) for n in range(errors.MAX_PROBLEMS + 5)])
    assert len(error.problems) == errors.MAX_PROBLEMS
    assert error.total == errors.MAX_PROBLEMS + 5


@given(st.text(max_size=20), st.lists(st.text(max_size=20), max_size=8))
def test_the_nearest_name_is_one_of_those_that_there_are(given_name, known):
    assert nearest(given_name, known) in {None, *known}


@given(st.text(min_size=1))
def test_a_name_is_nearest_to_itself(name):
    assert nearest(name, [name, "something else"]) == name


@given(st.one_of(st.text(), st.floats(), st.binary(), st.lists(st.integers()), st.none()))
def test_whatever_was_given_is_quoted_briefly(value):
    assert 0 < len(quote(value)) <= errors.MAX_GIVEN_CHARS
