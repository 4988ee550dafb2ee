"""PING of the simulated Outpoll, and what is made of PONG (protocol 6.1, trap 9)."""

from __future__ import annotations

import time

from nautilus_orderfeeds.sim.connection import Connection
from nautilus_orderfeeds.sim.later import Later
from nautilus_orderfeeds.venues.outpoll.twin_options import OutpollTwinOptions
from nautilus_orderfeeds.venues.outpoll.twin_sender import Sender
from nautilus_orderfeeds.venues.outpoll.twin_words import PongMode, PublicStream

_OPEN = "ping"
_LOOK_SECS = 0.25  # the interval may be changed while it runs
_PUBLIC = {stream.value for stream in PublicStream}


class Heartbeat:
    """
    Sends PING to everybody who is authenticated, and to every public stream.

    Parameters
    ----------
    sender : Sender
    options : OutpollTwinOptions
    later : Later
    """

    def __init__(self, sender: Sender, options: OutpollTwinOptions, later: Later) -> None:
        self._sender = sender
        self._options = options
        self._later = later
        self._last_secs = 0.0

    def start(self) -> None:
        """Begin."""
        self._last_secs = time.monotonic()
        self._later.every(lambda: min(self._options.ping_secs or _LOOK_SECS, _LOOK_SECS), self._beat)

    def ping(self) -> None:
        """Send a PING now; where a PONG is demanded, close whoever still owes one."""
        for connection in self._sender.all():
            if connection.account is None and connection.path not in _PUBLIC:
                continue
            if self._options.pong_mode is PongMode.REQUIRED and connection.info.get(_OPEN):
                connection.close()
                continue
            connection.info[_OPEN] = True
            connection.send_json({"t": "PING", "d": None, "r": None}, "control/ping")

    def ponged(self, connection: Connection) -> bool:
        """Count a PONG; `False` if it is an error."""
        connection.info[_OPEN] = False
        return self._options.pong_mode is not PongMode.ERROR

    def _beat(self) -> None:
        now = time.monotonic()
        if self._options.ping_secs and now - self._last_secs >= self._options.ping_secs:
            self._last_secs = now
            self.ping()
