"""Who is connected to which stream of the simulated Outpoll, and sending to them."""

from __future__ import annotations

from collections.abc import Callable

from nautilus_orderfeeds.sim.connection import Connection
from nautilus_orderfeeds.venues.outpoll.twin_words import PublicStream, Service


class Sender:
    """
    Finds the connections of a stream.

    Parameters
    ----------
    connections : Callable[[], list[Connection]]
        Everybody connected now, to whichever stream.
    """

    def __init__(self, connections: Callable[[], list[Connection]]) -> None:
        self._connections = connections

    def all(self) -> list[Connection]:
        """Every connection of every stream."""
        return self._connections()

    def private(self, service: Service, owner: str) -> list[Connection]:
        """The connections of a private stream on which a user is authenticated."""
        return [c for c in self.all() if c.path == service.value and c.account == owner]

    def public(self, stream: PublicStream) -> list[Connection]:
        """The connections of a public stream."""
        return [c for c in self.all() if c.path == stream.value]
