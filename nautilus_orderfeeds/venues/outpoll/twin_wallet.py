"""
Balances of the simulated Outpoll: what is free, and the bare deltas of Balance Updates (protocol 5.9, 6.3).

A delta carries new absolute values. The asset's key is `i` in the snapshot and `a` in deltas.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

import msgspec

from nautilus_orderfeeds.sim.later import Later
from nautilus_orderfeeds.sim.ledger import Ledger
from nautilus_orderfeeds.sim.model import ZERO, Batch, OrderFilled, Side
from nautilus_orderfeeds.venues.outpoll.twin_options import OutpollTwinOptions
from nautilus_orderfeeds.venues.outpoll.twin_products import ASSETS, QUOTE, wire_asset
from nautilus_orderfeeds.venues.outpoll.twin_records import Holding, Records, Timeline
from nautilus_orderfeeds.venues.outpoll.twin_sender import Sender
from nautilus_orderfeeds.venues.outpoll.twin_tpsl import TpslBook
from nautilus_orderfeeds.venues.outpoll.twin_wire import Numbers, average, cut_off
from nautilus_orderfeeds.venues.outpoll.twin_words import BalanceOrder, Service


@dataclass(frozen=True, slots=True)
class Balance:
    """What a user has of a currency: all of it, what is not locked, and what it cost (USDC)."""

    total: Decimal = ZERO
    free: Decimal = ZERO
    cost: Decimal = ZERO


Balances = dict[str, Balance]
"""By the ledger's name of the currency."""


class Wallet:
    """
    Tells users what they have.

    Parameters
    ----------
    ledger : Ledger
    tpsl : TpslBook
    records : Records
    sender : Sender
    numbers : Numbers
    now_ns : Callable[[], int]
    options : OutpollTwinOptions
    later : Later
    """

    def __init__(
        self,
        ledger: Ledger,
        tpsl: TpslBook,
        records: Records,
        sender: Sender,
        numbers: Numbers,
        now_ns: Callable[[], int],
        options: OutpollTwinOptions,
        later: Later,
    ) -> None:
        self._ledger = ledger
        self._tpsl = tpsl
        self._records = records
        self._sender = sender
        self._numbers = numbers
        self._now_ns = now_ns
        self._options = options
        self._later = later
        self._told: dict[str, Balances] = {}
        self._states: dict[str, Timeline[Balances]] = {}
        self._opened: dict[tuple[str, str], tuple[str, int]] = {}

    def open_account(self, owner: str) -> None:
        """Begin with what a user has."""
        balances = self._told[owner] = self.balances(owner)
        self._states[owner] = Timeline()
        self._states[owner].add(balances)
        self._records.hold(owner, self._holdings(owner, balances))

    def free(self, owner: str, currency: str) -> Decimal:
        """What may be spent or sold: not locked by an open order (with its fee) or (shares) by TP/SL."""
        locked = self._ledger.locked(currency, owner)
        if currency == QUOTE:
            locked *= 1 + self._options.fee_rate
        if self._options.tpsl_locks_shares:
            locked += self._tpsl.locked(owner, currency)
        return self._ledger.balance(currency, owner) - locked

    def balances(self, owner: str) -> Balances:
        """Everything a user has now."""
        found = {QUOTE: Balance(cash := self._ledger.balance(QUOTE, owner), self.free(owner, QUOTE), cash)}
        for asset_id in ASSETS:
            position = self._ledger.position(asset_id, owner)
            total = self._ledger.balance(asset_id, owner)
            found[asset_id] = Balance(total, self.free(owner, asset_id), max(position.cost, ZERO))
        return found

    # -- telling --------------------------------------------------------------------------------------------

    def on_batch(self, batch: Batch) -> None:
        """Listener of the market."""
        moved: dict[str, None] = {}
        for event in batch.user_events:
            order = event.order
            moved[order.account] = None
            if isinstance(event, OrderFilled) and order.side is Side.BUY:
                key = (order.account, order.product)
                since = self._opened[key][1] if key in self._opened else event.fill.time_ns
                self._opened[key] = (order.venue_order_id, since)
        for owner in moved:
            self.publish(owner)

    def publish(self, owner: str) -> None:
        """Tell what changed since the last time: history-service at once, Balance Updates by the options."""
        new, told = self.balances(owner), self._told[owner]
        changed = [currency for currency, balance in new.items() if balance != told.get(currency, Balance())]
        if not changed:
            return
        self._told[owner] = new
        self._states[owner].add(new)
        self._records.hold(owner, self._holdings(owner, new))
        if not self._options.balance_deltas:
            return
        if self._options.balance_order is BalanceOrder.TOKEN_FIRST:
            changed.sort(key=lambda currency: currency == QUOTE)
        deltas = [self._delta(owner, currency, new[currency]) for currency in changed]
        if self._sender.private(Service.BALANCES, owner):
            self._later.once(self._options.balance_delay_secs, lambda: self._send(owner, deltas))

    def snapshot(self, owner: str, lag: int = 0) -> dict[str, object]:
        """The reply to AUTH, which is the list of balances, as they stood `lag` changes ago."""
        states = self._states[owner].seen(lag=lag)
        balances = states[-1] if states else {}
        rows = [
            {"i": wire_asset(currency), "b": self._amount(balance.total), "f": self._amount(balance.free)}
            for currency, balance in balances.items()
            if currency == QUOTE or balance.total or self._options.lists_empty_balances
        ]
        return {"t": "success", "d": {"l": rows}, "r": None}

    # -- inside ---------------------------------------------------------------------------------------------

    def _send(self, owner: str, deltas: list[dict[str, object]]) -> None:
        for connection in self._sender.private(Service.BALANCES, owner):
            for delta in deltas:
                connection.send_json(delta, "balances", "balances/update", f"balances/update/{delta['a']}")

    def _delta(self, owner: str, currency: str, balance: Balance) -> dict[str, object]:
        # Of USDC itself no price is documented: one dollar costs one dollar.
        price = average(balance.cost, balance.total) if currency != QUOTE else Decimal(1)
        return {
            "u": owner,
            "a": wire_asset(currency),
            "aop": self._numbers(price),
            "c": self._amount(balance.cost),
            "b": self._amount(balance.total),
            "f": self._amount(balance.free),
        }

    def _amount(self, value: Decimal) -> msgspec.Raw:
        return self._numbers(cut_off(value, self._options.amount_decimals))

    def _holdings(self, owner: str, balances: Balances) -> list[Holding]:
        holdings = []
        for asset_id, asset in ASSETS.items():
            balance, key = balances[asset_id], (owner, asset_id)
            if balance.total == 0:
                self._opened.pop(key, None)
                continue
            order_id, opened_ns = self._opened.setdefault(key, ("", self._now_ns()))
            holdings.append(Holding(asset, balance.total, balance.free, balance.cost, order_id, opened_ns))
        return holdings
