"""
Who gets which account event of the simulated Roxom, and when (protocol 5.2).

Events go to every authenticated connection of the account, whatever it subscribed to, unless the options say
otherwise. Faults know an event as `"orders"`, `"orders/update"`, `"orders/update/<status>"` and, if it tells of
a fill, `"orders/update/fill"`; the others as `"balance"`, `"positions"`, `"account"` and `".../update"`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from nautilus_orderfeeds.sim.connection import Connection
from nautilus_orderfeeds.venues.roxom.twin_options import Delivery, RoxomTwinOptions
from nautilus_orderfeeds.venues.roxom.twin_words import Channel


@dataclass(frozen=True, slots=True)
class _Event:
    channel: Channel
    message: dict[str, object]
    names: tuple[str, ...]


@dataclass(slots=True)
class _Held:
    holders: int = 0
    events: list[_Event] = field(default_factory=list)


class Outbox:
    """
    Sends account events, or keeps them back for a while.

    Parameters
    ----------
    options : RoxomTwinOptions
    connections : Callable[[], list[Connection]]
        Everyone connected now, in the sequence in which they came.
    """

    def __init__(self, options: RoxomTwinOptions, connections: Callable[[], list[Connection]]) -> None:
        self._options = options
        self._connections = connections
        self._held: dict[str, _Held] = {}
        self._muted: set[str] = set()

    def post(self, account: str, channel: Channel, message: dict[str, object], *kinds: str) -> None:
        """Send an event to the account's sockets; `kinds` are further names for faults."""
        if account in self._muted:
            return
        update = f"{channel.value}/update"
        event = _Event(channel, message, (channel.value, update, *(f"{update}/{kind}" for kind in kinds)))
        if account in self._held:
            self._held[account].events.append(event)
        else:
            self._send(account, event)

    @contextmanager
    def muted(self, account: str) -> Iterator[None]:
        """Send the account nothing meanwhile, as if the venue had forgotten to."""
        self._muted.add(account)
        try:
            yield
        finally:
            self._muted.discard(account)

    def hold(self, account: str) -> Callable[[], None]:
        """
        Keep the account's events back until the returned function is called (once more is no error).

        Several holds may overlap; the events go when the last one ends.
        """
        held = self._held.setdefault(account, _Held())
        held.holders += 1
        is_over = False

        def release() -> None:
            nonlocal is_over
            if is_over:
                return
            is_over = True
            held.holders -= 1
            if held.holders == 0:
                del self._held[account]
                for event in held.events:
                    self._send(account, event)

        return release

    def _send(self, account: str, event: _Event) -> None:
        for connection in self._connections():
            if connection.account == account and self._is_wanted(connection, event.channel):
                connection.send_json(event.message, *event.names)

    def _is_wanted(self, connection: Connection, channel: Channel) -> bool:
        match self._options.delivery:
            case Delivery.EVERY_SOCKET:
                return True
            case Delivery.SUBSCRIBED:
                return (channel.value,) in connection.subscriptions
