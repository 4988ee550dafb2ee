"""Accounts, API keys and user tokens of the simulated sFOX (protocol 3)."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from nautilus_orderfeeds.sim.clock import SimClock
from nautilus_orderfeeds.sim.ledger import Ledger
from nautilus_orderfeeds.sim.model import ZERO, Product, Side, SimOrder
from nautilus_orderfeeds.sim.server import Answer
from nautilus_orderfeeds.venues.sfox.twin_options import SfoxTwinOptions

PARTNER = "partner"
_NS = 1_000_000_000


class Refused(Exception):
    """The venue says no: HTTP status and text; there are no numeric codes (7)."""

    def __init__(self, message: str, *, status: int = 422) -> None:
        super().__init__(message)
        self.message = message
        self.status = status

    def answer(self) -> Answer:
        """The error body."""
        return Answer(self.status, {"error": self.message})


@dataclass(slots=True)
class Key:
    """An API key or a user token; it acts for `account` (a ledger account)."""

    token: str = field(repr=False)
    account: str
    is_enterprise: bool = False
    is_read_only: bool = False
    is_user_token: bool = False
    expires_ns: int | None = None


@dataclass(slots=True)
class Owner:
    """
    Whose account it is: an own account, or an end user of the enterprise key (`user_id` is its name).

    `deposits` are (currency, amount, unix ns).
    """

    name: str
    is_user: bool = False
    deposits: list[tuple[str, Decimal, int]] = field(default_factory=list)


class Keyring:
    """
    Who may do what.

    Parameters
    ----------
    seed : int
        Makes the keys; tokens are made anew each time.
    clock : SimClock
    ledger : Ledger
    options : SfoxTwinOptions
    """

    def __init__(self, seed: int, clock: SimClock, ledger: Ledger, options: SfoxTwinOptions) -> None:
        self.owners: dict[str, Owner] = {}
        self._keys: dict[str, Key] = {}
        self._seed = seed
        self._clock = clock
        self._ledger = ledger
        self._options = options
        self._issued = 0

    def open_account(self, name: str, *, is_user: bool = False, is_empty: bool = False) -> Owner:
        """A new account with the balances that everybody starts with."""
        owner = self.owners[name] = Owner(name, is_user)
        self._ledger.add_account(name)
        if not is_empty:
            for currency, amount in self._options.balances.items():
                self.deposit(name, currency, amount)
        return owner

    def deposit(self, account: str, currency: str, amount: Decimal) -> None:
        """Add money from outside (negative: take it out)."""
        self.owners[account].deposits.append((currency, amount, self._clock.now_ns()))
        self._ledger.deposit(account, currency, amount)

    def new_key(self, account: str, *, is_enterprise: bool = False, is_read_only: bool = False) -> Key:
        """An API key, the same for the same seed and number."""
        return self._keep(Key(self._digest(f"key|{len(self._keys)}"), account, is_enterprise, is_read_only))

    def new_token(self, user_id: str) -> Key:
        """
        A token that acts in an end user's account for 24 hours.

        Raises
        ------
        Refused
            404 for somebody who is no end user.
        """
        owner = self.owners.get(user_id)
        if owner is None or not owner.is_user:
            raise Refused(f"user not found: {user_id}", status=404)
        self._issued += 1
        expires_ns = self._clock.now_ns() + round(self._options.token_lifetime_secs * _NS)
        token = self._digest(f"token|{self._issued}|{expires_ns}")
        return self._keep(Key(token, user_id, is_user_token=True, expires_ns=expires_ns))

    def expire_tokens(self) -> None:
        """Let every user token that exists end now."""
        for key in self._keys.values():
            if key.is_user_token:
                key.expires_ns = min(key.expires_ns or 0, self._clock.now_ns())

    def revoke(self, account: str) -> None:
        """Let every key of an account end now."""
        for key in self._keys.values():
            if key.account == account:
                key.expires_ns = self._clock.now_ns()

    def find(self, token: object) -> Key | None:
        """The key of this text, if it is one that may still be used."""
        key = self._keys.get(token) if isinstance(token, str) else None
        if key is None or (key.expires_ns is not None and key.expires_ns <= self._clock.now_ns()):
            return None
        return key

    def authenticate(self, headers: Mapping[str, str]) -> Key:
        """
        The key of a REST call, as Bearer or as Basic user name with an empty password.

        Raises
        ------
        Refused
            401 for a missing, malformed, unknown or expired key.
        """
        key = self.find(_token(headers.get("Authorization", "")))
        if key is None:
            raise Refused("invalid token. check authorization header.", status=401)
        return key

    def _keep(self, key: Key) -> Key:
        self._keys[key.token] = key
        return key

    def _digest(self, what: str) -> str:
        return hashlib.sha256(f"sfox|{self._seed}|{what}".encode()).hexdigest()


def _token(header: str) -> str | None:
    """The key in an `Authorization` header; `None` for anything that is no such header."""
    scheme, _, value = header.partition(" ")
    match scheme.lower():
        case "bearer":
            return value
        case "basic":
            try:
                name, separator, password = base64.b64decode(value, validate=True).decode().partition(":")
            except (binascii.Error, UnicodeDecodeError):
                return None
            return name if separator and not password else None
        case _:
            return None


class Funds:
    """
    What accounts own and what their open orders hold.

    Orders hold what they may still cost; what an account may spend on a further order also sets the fees of
    open orders aside, so that no balance ever falls below zero.
    """

    def __init__(self, ledger: Ledger, products: Mapping[str, Product], options: SfoxTwinOptions) -> None:
        self._ledger = ledger
        self._options = options
        self._products = products
        self._open: dict[str, dict[str, SimOrder]] = {}

    def watch(self, order: SimOrder) -> None:
        """Count an order from now on, as long as it is open."""
        self._open.setdefault(order.account, {})[order.venue_order_id] = order

    def open_orders(self, account: str) -> list[SimOrder]:
        """The orders of an account that are open now, oldest first."""
        orders = self._open.setdefault(account, {})
        for key in [key for key, order in orders.items() if not order.is_open]:
            del orders[key]
        return list(orders.values())

    def currencies(self) -> list[str]:
        """Every currency there is, the first pair's quote and base first."""
        return list(dict.fromkeys(c for product in self._products.values() for c in (product.quote, product.base)))

    def held(self, account: str) -> dict[str, Decimal]:
        """What open orders hold by currency, fees not counted (as `Ledger.locked`)."""
        held: dict[str, Decimal] = {}
        for order in self.open_orders(account):
            currency, amount = self._hold(order)
            held[currency] = held.get(currency, ZERO) + amount
        return held

    def spendable(self, account: str, currency: str, *, without: SimOrder | None = None) -> Decimal:
        """What a further order may cost, fees included; `without` is an order that makes room for itself."""
        rate = max(self._options.maker_rate, self._options.net_price_rate, self._options.smart_rate)
        left = self._ledger.balance(currency, account)
        for order in self.open_orders(account):
            held, amount = self._hold(order)
            if held == currency and order is not without:
                left -= amount if order.side is Side.SELL else amount * (1 + rate)
        return left

    def _hold(self, order: SimOrder) -> tuple[str, Decimal]:
        product = self._products[order.product]
        if order.side is Side.SELL:
            return product.base, order.leaves
        if order.quote_amount is not None:
            return product.quote, order.quote_amount - order.notional
        return product.quote, order.leaves * order.price if order.price is not None else ZERO
