"""The envelope that every frame of the WebSocket has (protocol, 5.1), read however loosely it is written."""

from typing import Any, Final

import msgspec

from nautilus_orderfeeds.venues.bsx import wire

_object: Final = msgspec.json.Decoder(dict[str, Any])


def control_of(frame: bytes) -> wire.Control | None:
    """Return a frame's envelope, or None if it has none. A key that is null is absent, a code in words is a message."""
    try:
        return wire.CONTROL.decode(frame)
    except wire.DECODE_ERRORS:
        pass
    try:
        told = {key: value for key, value in _object.decode(frame).items() if value is not None}
        code = told.get("code")
        if isinstance(code, str) and not (code.isascii() and code.isdigit()):
            told["message"] = f"{told.get('message', '')} {told.pop('code')}".strip()
        return msgspec.convert(told, wire.Control, strict=False)
    except wire.DECODE_ERRORS:
        return None


def channel_of(frame: bytes) -> str | None:
    """Return the channel a frame names, whatever else it is; None if that cannot be read."""
    try:
        channel = _object.decode(frame).get("channel")
    except wire.DECODE_ERRORS:
        return None
    return channel if isinstance(channel, str) else None
