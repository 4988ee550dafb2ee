"""How an order is named before it is sent (protocol, 4.3): a nonce and a client order id, both echoed.

The nonce is signature field, replay guard and order key at once, so it must rise strictly for the whole life of
the account, over restarts and clock corrections. The framework's client order ids do not fit the wire (hyphens,
36 characters), so each order gets one of 32 hex digits; the journal keeps which is which.
"""

import hashlib
from collections.abc import Callable
from typing import Final

from nautilus_orderfeeds.feed.clock import Clock
from nautilus_orderfeeds.orders.requests import OrderRef

_CLIENT_ID: Final = "cid:"
_NONCE: Final = "nonce:"

#: Name of the durable mark.
_MARK: Final = "bsx nonce"

#: How far ahead nonces are reserved; the venue takes any that is later than ten minutes ago.
_RESERVED_NS: Final = 10_000_000_000


class NonceSource:
    """Strictly rising nonces, UNIX ns.

    Parameters
    ----------
    clock : Clock
        Source of time.
    high_water : int, default 0
        Highest nonce this account ever used, from the journal: a clock that was set back must not make the venue
        see a nonce twice.
    """

    def __init__(self, clock: Clock, high_water: int = 0) -> None:
        self._clock = clock
        self._high_water = high_water
        self._save: Callable[[str, int], None] | None = None
        self._saved = 0

    @property
    def high_water(self) -> int:
        """Highest nonce ever given out."""
        return self._high_water

    def keep(self, load: Callable[[str], int], save: Callable[[str, int], None]) -> None:
        """Take up where an earlier run ended.

        Parameters
        ----------
        load : Callable[[str], int]
            Name -> durable mark, 0 if there is none.
        save : Callable[[str, int], None]
            Makes a mark durable.
        """
        self._saved = load(_MARK)
        self._high_water = max(self._high_water, self._saved)
        self._save = save

    def next(self) -> int:
        """Return a nonce that was never returned before."""
        self._high_water = max(self._clock.time_ns(), self._high_water + 1)
        if self._save is not None and self._high_water > self._saved:
            # A stretch ahead is reserved, so that not every order costs a write.
            self._saved = self._high_water + _RESERVED_NS
            self._save(_MARK, self._saved)
        return self._high_water


def wire_client_order_id(client_order_id: str, nonce: int) -> str:
    """Return the client order id for the wire: 32 lower-case hex digits.

    The nonce is part of it, so a framework id that is used again some day gets another one.
    """
    return hashlib.sha256(f"{nonce}|{client_order_id}".encode()).hexdigest()[:32]


def refs_of(client_order_id: str | None, nonce: int) -> tuple[str, ...]:
    """Return the keys under which an order is known; the venue ignores the case of client order ids."""
    if client_order_id:
        cid = _CLIENT_ID + client_order_id.lower()
        return (cid, f"{_NONCE}{nonce}") if nonce else (cid,)
    return (f"{_NONCE}{nonce}",) if nonce else ()


def nonce_of(ref: OrderRef) -> int | None:
    """Return the nonce among the keys of `ref`."""
    for key in ref.refs:
        if key.startswith(_NONCE):
            text = key[len(_NONCE) :]
            return int(text) if text.isdecimal() else None
    return None


def client_order_id_of(ref: OrderRef) -> str | None:
    """Return the wire's client order id among the keys of `ref`."""
    for key in ref.refs:
        if key.startswith(_CLIENT_ID):
            return key[len(_CLIENT_ID) :]
    return None
