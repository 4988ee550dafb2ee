"""Notes in a recording: what a reader must know besides the frames.

A note is a row like a frame's with the direction `note` and JSON as its text. `RecordingNote` stands at the beginning:
whose streams they are, which of them are private, and the instruments that were loaded. A `HealthNote` is written at
every change of a stream's health, so a recording also tells when the feed was not live.
"""

from typing import Any

import msgspec
from msgspec import Struct

from nautilus_orderfeeds.feed.health import Health


class RecordingNote(Struct, frozen=True, kw_only=True, tag="recording", tag_field="note"):
    """What is recorded.

    Parameters
    ----------
    venue : str
        Folder name of the venue (``"bsx"``).
    private, public : tuple[str, ...]
        Names of the streams, as in the rows.
    instruments : tuple[dict, ...]
        In the framework's own dict form, as in a file for the config field `instruments`.
    exec_settings, data_settings : dict
        The venue's own settings by which its frames are read, where they were not the defaults; no secrets.
    """

    venue: str
    private: tuple[str, ...] = ()
    public: tuple[str, ...] = ()
    instruments: tuple[dict[str, Any], ...] = ()
    exec_settings: dict[str, Any] = {}
    data_settings: dict[str, Any] = {}


class HealthNote(Struct, frozen=True, tag="health", tag_field="note"):
    """A stream's health has changed."""

    health: Health


Note = RecordingNote | HealthNote

_decoder: msgspec.json.Decoder[Note] = msgspec.json.Decoder(Note)


def write_note(note: Note) -> bytes:
    """Return a note as it stands in a recording."""
    return msgspec.json.encode(note)


def read_note(frame: bytes) -> Note:
    """Read a note; raises `msgspec.MsgspecError` (a `ValueError`) if it is none of ours."""
    note: Note = _decoder.decode(frame)
    return note
