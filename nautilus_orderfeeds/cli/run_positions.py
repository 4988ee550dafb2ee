"""Where in a TOML or JSON text each key and each item of an array stands.

The parsers of the standard library keep no positions. Both scanners here read a text that such a parser has accepted
already, so they need not judge it, only walk over it.
"""

import json.decoder
import re
from collections.abc import Iterator
from typing import ClassVar, Final

#: Keys and indices on the way to a value.
Place = tuple[str | int, ...]
#: Place -> line, from 1.
Lines = dict[Place, int]

_BARE: Final = re.compile(r"[A-Za-z0-9_-]+")
_SPACE: Final = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_BLANK: Final = re.compile(r"[ \t]*")
_SCALAR: Final = re.compile(r"[^,\]}\n#]*")
_JSON_SPACE: Final = re.compile(r"[ \t\r\n]*")
_JSON_SCALAR: Final = re.compile(r"[^,\]}\s]+")


def toml_lines(text: str) -> Lines:
    """Return the line of each key of a valid TOML text."""
    return _Toml(text).read()


def json_lines(text: str) -> Lines:
    """Return the line of each key of a valid JSON text.

    Raises
    ------
    ValueError
        If an object has a key twice, of which the parser would keep one silently.
    """
    return _Json(text).read()


def line_of(lines: Lines, place: Place) -> int:
    """Return the line of a place, or of the nearest one around it that stands in the text."""
    while place and place not in lines:
        place = place[:-1]
    return lines.get(place, 1)


class _Scanner:
    #: What may stand between the members of an array or object.
    between: ClassVar["re.Pattern[str]"]

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._lines: Lines = {}

    def _mark(self, place: Place, at: int | None = None) -> None:
        start = self._at if at is None else at
        self._lines.setdefault(place, self._text.count("\n", 0, start) + 1)

    def _skip(self, pattern: "re.Pattern[str]") -> str:
        found = pattern.match(self._text, self._at)
        if found is None:
            return ""
        self._at = found.end()
        return found[0]

    def _peek(self, word: str) -> bool:
        return self._text.startswith(word, self._at)

    def _members(self, end: str) -> Iterator[int]:
        """Stop at the beginning of each member up to `end`; whoever is given its number passes over it."""
        self._at += 1
        count = 0
        while True:
            self._skip(self.between)
            if self._peek(end):
                self._at += 1
                return
            if self._peek(","):
                self._at += 1
                continue
            yield count
            count += 1

    def _array(self, place: Place) -> None:
        for index in self._members("]"):
            item = (*place, index)
            self._mark(item)
            self._value(item)

    def _value(self, place: Place) -> None:
        raise NotImplementedError


class _Toml(_Scanner):
    between = _SPACE

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._table: Place = ()
        self._items: dict[Place, int] = {}  # arrays of tables: how many of them so far

    def read(self) -> Lines:
        while True:
            self._skip(_SPACE)
            if self._at >= len(self._text):
                return self._lines
            if self._peek("["):
                self._header()
            else:
                self._pair(self._table)

    def _header(self) -> None:
        start = self._at
        is_item = self._peek("[[")
        self._at += 2 if is_item else 1
        keys = self._keys()
        self._at += 2 if is_item else 1
        # A key of an array of tables means its last item.
        place: Place = ()
        for key in keys[:-1]:
            place = self._last((*place, key))
            self._mark(place, start)
        place = (*place, keys[-1])
        self._mark(place, start)
        if is_item:
            count = self._items[place] = self._items.get(place, 0) + 1
            place = (*place, count - 1)
            self._mark(place, start)
        else:
            place = self._last(place)
        self._table = place

    def _last(self, place: Place) -> Place:
        return (*place, self._items[place] - 1) if place in self._items else place

    def _keys(self) -> list[str]:
        keys = []
        while True:
            self._skip(_BLANK)
            keys.append(self._quoted() if self._peek('"') or self._peek("'") else self._skip(_BARE))
            self._skip(_BLANK)
            if not self._peek("."):
                return keys
            self._at += 1

    def _pair(self, table: Place) -> None:
        start = self._at
        place = table
        for key in self._keys():
            place = (*place, key)
            self._mark(place, start)
        self._at += 1  # =
        self._value(place)

    def _value(self, place: Place) -> None:
        self._skip(_BLANK)
        if self._peek("["):
            self._array(place)
        elif self._peek("{"):
            self._inline(place)
        elif self._peek('"') or self._peek("'"):
            self._quoted()
        else:
            self._skip(_SCALAR)

    def _inline(self, place: Place) -> None:
        for _ in self._members("}"):
            self._pair(place)

    def _quoted(self) -> str:
        """Pass over a string; return its text (escapes as they are: no key of ours has any)."""
        quote = self._text[self._at]
        mark = quote * 3 if self._peek(quote * 3) else quote
        at = start = self._at + len(mark)
        while not self._text.startswith(mark, at):
            at += 2 if quote == '"' and self._text[at] == "\\" else 1
        if len(mark) == 3:
            while self._text.startswith(quote, at + 3):  # up to two quotes may stand right before the end
                at += 1
        self._at = at + len(mark)
        return self._text[start:at]


class _Json(_Scanner):
    between = _JSON_SPACE

    def read(self) -> Lines:
        self._value(())
        return self._lines

    def _value(self, place: Place) -> None:
        self._skip(_JSON_SPACE)
        if self._peek("{"):
            self._object(place)
        elif self._peek("["):
            self._array(place)
        elif self._peek('"'):
            self._string()
        else:
            self._skip(_JSON_SCALAR)

    def _object(self, place: Place) -> None:
        for _ in self._members("}"):
            start = self._at
            key = (*place, self._string())
            if key in self._lines:
                line = self._text.count("\n", 0, start) + 1
                raise ValueError(f"line {line}: {key[-1]!r} is given twice, first on line {self._lines[key]}")
            self._mark(key, start)
            self._skip(_JSON_SPACE)
            self._at += 1  # :
            self._value(key)

    def _string(self) -> str:
        text, self._at = json.decoder.scanstring(self._text, self._at + 1)  # type: ignore[attr-defined]
        return str(text)
