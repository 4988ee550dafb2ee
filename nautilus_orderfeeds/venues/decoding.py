"""What every venue's decoder needs: one way to fail, and the check of what may be shown as an id."""

from typing import Final

import msgspec

from nautilus_orderfeeds.feed.errors import FrameError

#: What a decoder raises: text that is no UTF-8 fails as such.
DECODE_ERRORS: Final = (msgspec.MsgspecError, UnicodeDecodeError)


def decode[T](venue: str, decoder: "msgspec.json.Decoder[T]", raw: bytes, expected: str) -> T:
    """Decode one message.

    Parameters
    ----------
    venue : str
        Whose message it is.
    decoder : msgspec.json.Decoder
        Of what it should be.
    raw : bytes
        As it came.
    expected : str
        What the protocol promises at this place.

    Raises
    ------
    FrameError
        Saying what was received and what was expected.
    """
    try:
        return decoder.decode(raw)
    except DECODE_ERRORS as exc:
        raise FrameError(venue, raw, f"{expected} ({exc})") from None


def is_id(value: str) -> bool:
    """Return whether `value` may be shown, stored and compared as an id: printable ASCII, and not blank."""
    return bool(value) and value.isascii() and value.isprintable() and not value.isspace()


def check_id(name: str, value: str) -> str:
    """Return `value` if it is an id (`is_id`).

    Raises
    ------
    ValueError
        If it is none; `name` says what it was to be.
    """
    if value and value.isascii() and value.isprintable() and not value.isspace():
        return value
    raise ValueError(f"{name} {value[:80]!r} is not printable ASCII text")
