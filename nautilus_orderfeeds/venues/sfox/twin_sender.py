"""The envelope of every WebSocket message of the simulated sFOX, and its sequence numbers (protocol 8.1)."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from nautilus_orderfeeds.sim.clock import SimClock
from nautilus_orderfeeds.sim.connection import Connection
from nautilus_orderfeeds.venues.sfox.twin_options import SfoxTwinOptions
from nautilus_orderfeeds.venues.sfox.twin_words import AckShape, ErrorShape

_LAST = "sequence"
_OWED = "sequence owed"
_SKIP = "sequence skip"
_SWAP = "sequence swap"


class Sender:
    """
    Sends control and data messages, each with the next number of its connection.

    Parameters
    ----------
    clock : SimClock
    connections : Callable[[], list[Connection]]
        Everyone connected now.
    options : SfoxTwinOptions
    """

    def __init__(self, clock: SimClock, connections: Callable[[], list[Connection]], options: SfoxTwinOptions) -> None:
        self.connections = connections
        self._clock = clock
        self._options = options

    def success(self, connection: Connection, action: str, feeds: Iterable[str] | None = None) -> None:
        """Acknowledge a command; an acknowledged (un)subscribe lists all feeds of the connection."""
        extra: dict[str, object] = {}
        if self._options.ack_shape is AckShape.FULL:
            payload: dict[str, object] = {"action": action}
            if feeds is not None:
                payload["feeds"] = list(feeds)
            extra = {"payload": payload, "action": action}
        message = {"type": "success", **self._stamp(connection), **extra}
        connection.send_json(message, "control", f"control/{action}")

    def error(self, connection: Connection, action: str, text: str) -> None:
        """Refuse a command."""
        match self._options.error_shape:
            case ErrorShape.TYPE:  # as the authenticate error of the documentation: no reason
                extra: dict[str, object] = {"payload": {"action": action}, "action": action}
                message = {"type": "error", **self._stamp(connection), **extra}
            case ErrorShape.ERROR_KEY:
                message = {"error": text, **self._stamp(connection)}
        connection.send_json(message, "control", "control/error", f"control/error/{action}")

    def data(self, connection: Connection, recipient: str, payload: object, *names: str) -> None:
        """Send a feed's message; faults know it by `names` and by its recipient."""
        stamp = self._stamp(connection)
        message = {
            "sequence": stamp["sequence"],
            "recipient": recipient,
            "timestamp": stamp["timestamp"],
            "payload": payload,
        }
        connection.send_json(message, *names, recipient)

    def skip(self, count: int) -> None:
        """Let every connection's next message skip `count` numbers."""
        for connection in self.connections():
            connection.info[_SKIP] = count

    def swap(self) -> None:
        """Let the next two messages of every connection have each other's number."""
        for connection in self.connections():
            connection.info[_SWAP] = True

    def _stamp(self, connection: Connection) -> dict[str, int]:
        return {"sequence": self._next(connection), "timestamp": self._clock.now_ns()}

    def _next(self, connection: Connection) -> int:
        info = connection.info
        owed = info.pop(_OWED, None)
        if isinstance(owed, int):
            return owed
        last, skip = info.get(_LAST, 0), info.pop(_SKIP, 0)
        assert isinstance(last, int)
        assert isinstance(skip, int)
        number = last + skip + 1
        if info.pop(_SWAP, False):
            info[_OWED] = number
            number += 1
        info[_LAST] = number
        return number
