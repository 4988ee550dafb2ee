"""
Who gets which account event of the simulated Roxom, and when (protocol 5.2).

Events go to every authenticated connection of the account, whatever it subscribed to, unless the options say
otherwise. Faults know an event as `"orders"`, `"orders/update"`, `"orders/update/<status>"` and, if it tells of
a fill, `"orders/update/fill"`; the others as `"balance"`, `"positions"`, `"account"` and `".../update"`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from nautilus_orderfeeds.sim.connection import Connection
from nautilus_orderfeeds.sim.outbox import Outbox
from nautilus_orderfeeds.venues.roxom.twin_options import Delivery, RoxomTwinOptions
from nautilus_orderfeeds.venues.roxom.twin_words import Channel


@dataclass(frozen=True, slots=True)
class AccountEvent:
    """An event of a channel, and what faults know it by."""

    channel: Channel
    message: dict[str, object]
    names: tuple[str, ...]


class AccountOutbox(Outbox[str, AccountEvent]):
    """
    Sends account events, or keeps them back for a while.

    Parameters
    ----------
    options : RoxomTwinOptions
    connections : Callable[[], list[Connection]]
        Everyone connected now, in the sequence in which they came.
    """

    def __init__(self, options: RoxomTwinOptions, connections: Callable[[], list[Connection]]) -> None:
        super().__init__(self._deliver)
        self._options = options
        self._connections = connections

    def tell(self, account: str, channel: Channel, message: dict[str, object], *kinds: str) -> None:
        """Send an event to the account's sockets; `kinds` are further names for faults."""
        update = f"{channel.value}/update"
        names = (channel.value, update, *(f"{update}/{kind}" for kind in kinds))
        self.post(account, AccountEvent(channel, message, names))

    def _deliver(self, account: str, event: AccountEvent) -> None:
        for connection in self._connections():
            if connection.account == account and self._is_wanted(connection, event.channel):
                connection.send_json(event.message, *event.names)

    def _is_wanted(self, connection: Connection, channel: Channel) -> bool:
        match self._options.delivery:
            case Delivery.EVERY_SOCKET:
                return True
            case Delivery.SUBSCRIBED:
                return (channel.value,) in connection.subscriptions
