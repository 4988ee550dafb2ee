"""The venue's own error in an answer that is no success (protocol, 4.11), in whatever words it is told."""

from typing import Any, Final

import msgspec

from nautilus_orderfeeds.feed.rest import Response
from nautilus_orderfeeds.venues.bsx import wire

_MESSAGE_KEYS: Final = ("message", "error", "msg", "reason", "detail", "details")

#: Statuses with which a server says that it did not carry out what it was asked for.
_JUDGED_STATUSES: Final = frozenset({400, 422})
_MAX_TEXT: Final = 500

_object: Final = msgspec.json.Decoder(dict[str, Any])


def error_of(response: Response) -> wire.ErrorBody | None:
    """Return the venue's own error in `response`, or None if its body is none (a proxy's page, nothing)."""
    try:
        told = _object.decode(response.body)
    except wire.DECODE_ERRORS:
        return _plain_text(response)
    return _error(told)


def _error(told: dict[str, Any]) -> wire.ErrorBody | None:
    nested = told.get("error")
    if isinstance(nested, dict):
        return _error(nested)
    message = next((text for key in _MESSAGE_KEYS if isinstance(text := told.get(key), str) and text), "")
    code = told.get("code")
    if isinstance(code, str):
        message, code = (message or code), (int(code) if code.isascii() and code.isdigit() else None)
    if not isinstance(code, int) or isinstance(code, bool):
        code = None
    return wire.ErrorBody(message=message, code=code) if message or code is not None else None


def _plain_text(response: Response) -> wire.ErrorBody | None:
    """Take a short plain text for the venue's own words, where the status alone says that nothing was done."""
    if response.status not in _JUDGED_STATUSES or not 0 < len(response.body) <= _MAX_TEXT:
        return None
    try:
        text = response.body.decode().strip()
    except UnicodeDecodeError:
        return None
    return None if not text or text[0] in "<{[" else wire.ErrorBody(message=text)
