"""Reading JSON as strictly as the page types it (protocol 3): numbers are numbers, texts are texts, times are ISO."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from typing import Any, NoReturn

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
_MS = 1_000_000
_LONG_MAX = 2**63 - 1


class ErrorName(Enum):
    """Why a request failed; the value is its `code` (undocumented but for the two named ones of 2022-02-03)."""

    ORDER_NOT_EXISTS = 400
    ORDER_ALREADY_CLOSED = 401
    MALFORMED = 402
    NOT_ALLOWED = 403
    INTERNAL = 500


class Refused(Exception):
    """The request gets an `error` (5.8) with this name and text."""

    def __init__(self, text: str, name: ErrorName = ErrorName.MALFORMED) -> None:
        super().__init__(text)
        self.text = text
        self.name = name


def decode(message: str | bytes) -> dict[str, Any]:
    """
    One frame as a JSON object; numbers with a fraction become `Decimal`.

    Raises
    ------
    Refused
        For anything else, including what only some decoders take: comments, NaN, a key twice.
    """
    if isinstance(message, bytes):
        raise Refused("expected a text frame")
    try:
        body = json.loads(message, parse_float=_number, parse_constant=_no_number, object_pairs_hook=_object)
        json.dumps(body, ensure_ascii=False, default=str).encode()  # fails for half a character (a lone surrogate)
    except (ValueError, RecursionError) as exc:
        raise Refused(f"not a JSON document: {exc}") from None
    if not isinstance(body, dict):
        raise Refused("expected a JSON object")
    return body


def _number(text: str) -> Decimal:
    if "e" in text or "E" in text:
        raise Refused(f"number {text} must be in plain form")
    return Decimal(text)


def _no_number(text: str) -> NoReturn:
    raise Refused(f"{text} is no number")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Refused("a key stands twice in one object")
    return found


class Fields:
    """
    The fields of one object, each read once and by its documented type.

    Parameters
    ----------
    value : object
        What should be the object.
    name : str
        For messages.
    allowed : Iterable[str]
        Every field that the dialect knows here; any other one is refused.
    """

    def __init__(self, value: object, name: str, allowed: Iterable[str]) -> None:
        if not isinstance(value, dict):
            raise Refused(f"{name} must be an object")
        unknown = sorted(set(value) - set(allowed))
        if unknown:
            raise Refused(f"unknown field {unknown[0]} in {name}")
        self._values: dict[str, Any] = value

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def names(self) -> set[str]:
        """What is there."""
        return set(self._values)

    def raw(self, name: str) -> Any:
        """A mandatory field of any type."""
        if name not in self._values:
            raise Refused(f"{name} is mandatory")
        return self._values[name]

    def text(self, name: str, default: str | None = None) -> str:
        """A string; mandatory (and not empty) without a default."""
        if default is not None and name not in self._values:
            return default
        value = self.raw(name)
        if not isinstance(value, str):
            raise Refused(f"{name} must be a string, got {_shown(value)}")
        if default is None and not value:
            raise Refused(f"{name} is mandatory")
        return value

    def decimal(self, name: str) -> Decimal:
        """A mandatory positive number."""
        value = self.raw(name)
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            raise Refused(f"{name} must be a number, got {_shown(value)}")
        if value <= 0:
            raise Refused(f"{name} must be positive, got {value}")
        return Decimal(value)

    def optional_decimal(self, name: str) -> Decimal | None:
        """A positive number, if it is there."""
        return self.decimal(name) if name in self._values else None

    def long(self, name: str) -> int:
        """A mandatory positive 64-bit integer."""
        value = self.raw(name)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= _LONG_MAX:
            raise Refused(f"{name} must be a positive integer, got {_shown(value)}")
        return value

    def choice[E: Enum](self, name: str, choices: Iterable[E]) -> E:
        """A mandatory word out of an enumeration."""
        word = self.text(name)
        for member in choices:
            if member.value == word:
                return member
        raise Refused(f"{name} {word} is not supported")

    def time_ns(self, name: str, *, may_be_empty: bool = False) -> int | None:
        """A time in ns, if it is there; 0 for an empty text, where that is allowed."""
        if name not in self._values:
            return None
        value = self.text(name, "")
        return 0 if may_be_empty and not value else parse_time(value, name)


def parse_time(text: str, name: str) -> int:
    """ISO-8601 UTC with milliseconds and `Z` as unix ns. Raises `Refused`."""
    if not _TIME.fullmatch(text):
        raise Refused(f"{name} must be like 2022-04-23T18:25:43.511Z, got {text}")
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Refused(f"{name} is no time: {text}") from None
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return ((since.days * 86_400 + since.seconds) * 1000 + since.microseconds // 1000) * _MS


def format_time(time_ns: int, digits: int = 3) -> str:
    """Unix ns as ISO-8601 UTC with `Z`, cut to `digits` (3 to 9) decimals of a second."""
    secs, rest = divmod(time_ns, 1_000_000_000)
    return f"{datetime.fromtimestamp(secs, UTC):%Y-%m-%dT%H:%M:%S}.{f'{rest:09}'[:digits]}Z"


def _shown(value: object) -> str:
    """A value as it came, for a message."""
    return json.dumps(value, default=str)
