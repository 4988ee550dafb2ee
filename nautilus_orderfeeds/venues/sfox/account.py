"""Balances (protocol, 7.6, 8.5 and 12.4)."""

from collections.abc import Iterable
from decimal import Decimal

from nautilus_orderfeeds.orders.decimals import ZERO, check_sane
from nautilus_orderfeeds.orders.updates import AccountUpdate, Balance
from nautilus_orderfeeds.venues.decoding import check_id
from nautilus_orderfeeds.venues.sfox import wire


def decode_balances(body: bytes) -> list[wire.Balance]:
    """Read the answer to ``GET /v1/user/balance``; raises `FrameError`."""
    return wire.decode(wire.BALANCES, body, "balances (protocol 7.6)") or []


def owed(balances: Iterable[wire.Balance]) -> dict[str, Decimal]:
    """Return what the account owes, by currency."""
    return {row.currency.upper(): row.balance for row in balances if row.balance < 0}


def account_update(balances: Iterable[wire.Balance], *, complete: bool, ts_event: int = 0) -> AccountUpdate:
    """Return balances as an update.

    A debt is no balance that a cash account can hold: the currency is shown as zero.

    Parameters
    ----------
    balances : Iterable[Balance]
        As decoded.
    complete : bool
        Whether these are all currencies of the account.
    ts_event : int
        UNIX ns, 0 if not said.

    Raises
    ------
    ValueError
        If a number or a currency is none.
    """
    found = []
    for row in balances:
        check_sane(row.balance, row.available)
        total = max(row.balance, ZERO)
        # With credit more may be available than there is.
        free = max(min(row.available, total), ZERO)
        found.append(Balance(currency=check_id("currency", row.currency).upper(), total=total, free=free))
    return AccountUpdate(balances=tuple(found), complete=complete, ts_event=ts_event)
