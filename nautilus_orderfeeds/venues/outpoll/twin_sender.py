"""Who is connected to which stream of the simulated Outpoll, and sending to them."""

from __future__ import annotations

from nautilus_orderfeeds.sim.connection import Connection
from nautilus_orderfeeds.sim.server import SimServer
from nautilus_orderfeeds.venues.outpoll.twin_words import PublicStream, Service

_ARRIVAL = "arrival"


class Sender:
    """
    Finds connections, always in the sequence in which they came: a fault that strikes once meets the same one.

    Parameters
    ----------
    server : SimServer
    """

    def __init__(self, server: SimServer) -> None:
        self._server = server
        self._arrivals = 0

    def arrived(self, connection: Connection) -> None:
        """Note a new connection."""
        self._arrivals += 1
        connection.info[_ARRIVAL] = self._arrivals

    def all(self) -> list[Connection]:
        """Every connection of every stream."""
        return sorted((c for c in self._server.connections if _ARRIVAL in c.info), key=_arrival)

    def private(self, service: Service, owner: str) -> list[Connection]:
        """The connections of a private stream on which a user is authenticated."""
        return [c for c in self.all() if c.path == service.value and c.account == owner]

    def public(self, stream: PublicStream) -> list[Connection]:
        """The connections of a public stream."""
        return [c for c in self.all() if c.path == stream.value]


def _arrival(connection: Connection) -> int:
    number = connection.info[_ARRIVAL]
    assert isinstance(number, int)
    return number
