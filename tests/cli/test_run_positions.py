"""Where keys stand in TOML and JSON."""

import json
import tomllib
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nautilus_orderfeeds.cli.run_positions import Place, json_lines, line_of, toml_lines

TOML = '''# a comment with [brackets] and "quotes
top = "a # no comment"  # a comment

[venues.bsx]
account = '001'
nested.deep."quoted key" = 1.5
many = [
    "one",  # [not] a table
    { a = 1, b = "}" },
    [1, 2],
]

[venues.bsx.exec]
text = """
[not.a.table]
key = 'no key' ""\\" """
literal = \'\'\'
x = 1\'\'\'

[[strategies]]
strategy = "a:B"
[strategies.config]
order_qty = 0.01
when = 1979-05-27T07:32:00Z

[[strategies]]
strategy = "c:D"
config = { instrument_id = "X.Y", order_qty = 1 }
[[strategies.legs]]
side = "BUY"
[[strategies.legs]]
side = "SELL"
'''

EXPECTED: dict[Place, int] = {
    ("top",): 2,
    ("venues", "bsx"): 4,
    ("venues", "bsx", "account"): 5,
    ("venues", "bsx", "nested", "deep", "quoted key"): 6,
    ("venues", "bsx", "many"): 7,
    ("venues", "bsx", "many", 0): 8,
    ("venues", "bsx", "many", 1, "b"): 9,
    ("venues", "bsx", "many", 2, 1): 10,
    ("venues", "bsx", "exec"): 13,
    ("venues", "bsx", "exec", "text"): 14,
    ("venues", "bsx", "exec", "literal"): 17,
    ("strategies", 0): 20,
    ("strategies", 0, "strategy"): 21,
    ("strategies", 0, "config"): 22,
    ("strategies", 0, "config", "when"): 24,
    ("strategies", 1): 26,
    ("strategies", 1, "config"): 28,
    ("strategies", 1, "config", "order_qty"): 28,
    ("strategies", 1, "legs", 1): 31,
    ("strategies", 1, "legs", 1, "side"): 32,
}


def places(value: Any, place: Place = ()) -> Iterator[Place]:
    """Every place of a parsed value."""
    items: Any = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield (*place, key)
        yield from places(item, (*place, key))


@pytest.mark.parametrize(("place", "line"), EXPECTED.items(), ids=lambda value: str(value))
def test_toml_places_have_their_lines(place: Place, line: int):
    assert toml_lines(TOML)[place] == line


def test_toml_has_every_place_that_the_parser_has_and_no_other():
    parsed = set(places(tomllib.loads(TOML)))
    assert parsed == set(toml_lines(TOML))


def test_windows_line_ends_count_once():
    assert toml_lines(TOML.replace("\n", "\r\n")) == toml_lines(TOML)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda children: st.lists(children, max_size=4) | st.dictionaries(st.text(max_size=6), children, max_size=4),
    max_leaves=20,
)


@given(VALUES, st.sampled_from([None, 1, 4]))
def test_json_has_every_place_that_the_parser_has_and_no_other(value: Any, indent: int | None):
    text = json.dumps(value, indent=indent)
    assert set(json_lines(text)) == set(places(json.loads(text)))


@given(st.dictionaries(st.text(min_size=1, max_size=6), st.integers(), min_size=1, max_size=6))
def test_json_keys_of_indented_objects_are_on_lines_of_their_own(value: dict[str, int]):
    text = json.dumps(value, indent=2)
    lines = json_lines(text)
    assert [lines[(key,)] for key in value] == list(range(2, 2 + len(value)))
    for key in value:
        assert text.split("\n")[lines[(key,)] - 1].startswith(f"  {json.dumps(key)}:")


KEYS = st.text("abc-_12", min_size=1, max_size=4)
SCALARS = st.booleans() | st.integers(-(2**40), 2**40) | st.text("ab\"'#[]{}=\\ \t,", max_size=8)


def as_toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {as_toml(item)}" for key, item in value.items()) + " }"
    if isinstance(value, list):
        return "[\n" + "".join(f"  {as_toml(item)},\n" for item in value) + "]"
    return json.dumps(value)  # the same in both for what `SCALARS` makes


INLINE = st.recursive(
    SCALARS,
    lambda children: st.lists(children, max_size=3) | st.dictionaries(KEYS, SCALARS, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(KEYS, st.dictionaries(KEYS, INLINE, max_size=3), max_size=3))
def test_toml_tables_of_any_values(tables: dict[str, dict[str, Any]]):
    text = "".join(
        f"[{name}]  # [x]\n" + "".join(f"{key} = {as_toml(value)}\n\n" for key, value in table.items())
        for name, table in tables.items()
    )
    found = toml_lines(text)
    assert set(found) == set(places(tomllib.loads(text)))
    lines = text.split("\n")
    for name, table in tables.items():
        assert lines[found[(name,)] - 1].startswith(f"[{name}]")
        for key in table:
            assert lines[found[(name, key)] - 1].startswith(f"{key} = ")


def test_a_key_given_twice_in_json_is_told_by_line():
    with pytest.raises(ValueError, match=r"line 3: 'a' is given twice, first on line 2"):
        json_lines('{\n"a": 1,\n"a": 2}')


def test_what_is_not_in_the_text_has_the_line_of_what_is_around_it():
    lines = toml_lines(TOML)
    assert line_of(lines, ("strategies", 1, "config", "no such key", "nor this")) == 28
    assert line_of(lines, ("nothing",)) == 1
