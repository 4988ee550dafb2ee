"""
What truly happened at a simulated venue: accounts, orders, fills, balances and positions.

Faults never reach this room: a test compares what a client believes with what stands here. Profit and loss
of a perpetual is kept so that it adds up exactly: a position holds its signed size, the exact sum of money
that flowed (`quote_flow`) and the cost of what is still open (`cost`); what is realised is the sum of the
latter two.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal, localcontext

from nautilus_orderfeeds.sim.model import ZERO, Fill, Product, ProductKind, Side, SimOrder

_DIGITS = 60  # enough that no sum of a simulation is ever rounded


class LedgerError(AssertionError):
    """The ledger does not add up: a bug of the simulation itself."""


@dataclass(slots=True)
class Position:
    """
    One account's net position in one product.

    `net` is signed, base units, long > 0; `cost` and `quote_flow` are signed, quote units.
    """

    net: Decimal = ZERO
    cost: Decimal = ZERO
    quote_flow: Decimal = ZERO

    @property
    def average_price(self) -> Decimal:
        """Average entry price of what is open; zero when flat."""
        return self.cost / self.net if self.net else ZERO

    @property
    def realized(self) -> Decimal:
        """What closing has brought so far, quote units, before fees."""
        return self.quote_flow + self.cost

    def unrealized(self, mark: Decimal) -> Decimal:
        """What closing at `mark` would bring, quote units."""
        return self.net * mark - self.cost

    def trade(self, side: Side, price: Decimal, size: Decimal) -> None:
        """Count one fill."""
        with localcontext(prec=_DIGITS):
            signed = side.sign * size
            self.quote_flow -= signed * price
            if self.net == 0 or (self.net > 0) == (signed > 0):
                self.net += signed
                self.cost += signed * price
                return
            left = self.net + signed
            if (left > 0) == (self.net > 0) and left != 0:
                self.cost = self.cost * left / self.net
            else:  # closed or flipped: what is over opens at the price of the trade
                self.cost = left * price
            self.net = left


@dataclass(slots=True)
class Account:
    """
    One account.

    `cash` holds what was deposited, funded and (spot) exchanged, fees taken off, by currency; the realised
    profit of perpetual positions is added by `Ledger.balance`. A background account (the rest of the world)
    keeps no list of orders and fills.
    """

    name: str
    is_background: bool = False
    cash: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    fees: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    deposits: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    funding: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    positions: dict[str, Position] = field(default_factory=lambda: defaultdict(Position))
    fills: list[Fill] = field(default_factory=list)
    orders: dict[str, SimOrder] = field(default_factory=dict)


class Ledger:
    """
    The truth of a simulated venue.

    Queries take the main account (the first one that is not background) when none is named.

    Parameters
    ----------
    products : Iterable[Product]
    """

    def __init__(self, products: Iterable[Product]) -> None:
        self.accounts: dict[str, Account] = {}
        self.main_account = ""
        self._products = {product.symbol: product for product in products}
        self._by_key: dict[tuple[str, str], SimOrder] = {}

    # -- writing: the market and the twin -------------------------------------------------------------------

    def add_account(self, name: str, *, is_background: bool = False) -> Account:
        """Open an account; the first one that is not background becomes the main account."""
        account = self.accounts[name] = Account(name, is_background)
        if not is_background and not self.main_account:
            self.main_account = name
        return account

    def deposit(self, account: str, currency: str, amount: Decimal) -> None:
        """Add money from outside (negative: take it out)."""
        self.accounts[account].cash[currency] += amount
        self.accounts[account].deposits[currency] += amount

    def pay_funding(self, account: str, currency: str, amount: Decimal) -> None:
        """Pay funding to an account (negative: it pays)."""
        self.accounts[account].cash[currency] += amount
        self.accounts[account].funding[currency] += amount

    def add_order(self, order: SimOrder) -> None:
        """Know an order from now on; again for the same order changes nothing."""
        account = self.accounts[order.account]
        if account.is_background:
            return
        account.orders[order.venue_order_id] = order
        self._by_key[(order.account, order.venue_order_id)] = order
        if order.client_order_id:
            self._by_key[(order.account, order.client_order_id)] = order

    def add_alias(self, order: SimOrder, key: str) -> None:
        """Let `order` be found by a further name of the venue's, e.g. a nonce."""
        self._by_key[(order.account, key)] = order

    def book_fill(self, fill: Fill) -> None:
        """Count one side of a match."""
        account = self.accounts[fill.account]
        product = self._products[fill.product]
        account.cash[product.quote] -= fill.fee
        account.fees[product.quote] += fill.fee
        match product.kind:
            case ProductKind.PERPETUAL:
                account.positions[fill.product].trade(fill.side, fill.price, fill.size)
            case ProductKind.SPOT:
                account.cash[product.base] += fill.side.sign * fill.size
                account.cash[product.quote] -= fill.side.sign * fill.size * fill.price
                account.positions[fill.product].trade(fill.side, fill.price, fill.size)
        if not account.is_background:
            account.fills.append(fill)

    def settle(self, product: str, price: Decimal) -> None:
        """End a spot product (e.g. a decided outcome): everybody's base is exchanged for `price` quote each."""
        spec = self._products[product]
        if spec.kind is not ProductKind.SPOT:
            raise LedgerError(f"{product} is no spot product: it holds nothing that could be settled")
        for account in self.accounts.values():
            with localcontext(prec=_DIGITS):
                account.cash[spec.quote] += account.cash.pop(spec.base, ZERO) * price
            if product in account.positions and (net := account.positions[product].net):
                account.positions[product].trade(Side.SELL if net > 0 else Side.BUY, price, abs(net))

    # -- reading: tests and the twin ------------------------------------------------------------------------

    def net_size(self, account: str, product: str) -> Decimal:
        """The signed position, base units; zero for none."""
        positions = self.accounts[account].positions
        return positions[product].net if product in positions else ZERO

    def orders(
        self, *, account: str | None = None, product: str | None = None, is_open: bool | None = None
    ) -> list[SimOrder]:
        """Orders in the sequence in which they came, optionally only some of them."""
        return [
            order
            for order in self._account(account).orders.values()
            if product in (None, order.product) and is_open in (None, order.is_open)
        ]

    def find_order(self, key: str, account: str | None = None) -> SimOrder | None:
        """The order with this venue order id, client order id (the latest) or alias, if there is one."""
        return self._by_key.get((account or self.main_account, key))

    def order(self, key: str, account: str | None = None) -> SimOrder:
        """
        The order with this venue order id, client order id (the latest one that used it) or alias.

        Raises
        ------
        KeyError
            If there is none.
        """
        order = self.find_order(key, account)
        if order is None:
            raise KeyError(f"no order {key!r} in account {account or self.main_account!r}")
        return order

    def fills(
        self, order: SimOrder | str | None = None, *, account: str | None = None, product: str | None = None
    ) -> list[Fill]:
        """Fills in the sequence in which they happened: of one order (or its key), or of the account."""
        if order is not None:
            order = order if isinstance(order, SimOrder) else self.order(order, account)
            wanted = order.venue_order_id
            return [f for f in self._account(order.account).fills if f.venue_order_id == wanted]
        return [fill for fill in self._account(account).fills if product in (None, fill.product)]

    def position(self, product: str, account: str | None = None) -> Position:
        """The position of an account; a flat one if it never traded the product."""
        return self._account(account).positions.get(product, Position())

    def balance(self, currency: str, account: str | None = None) -> Decimal:
        """Cash with realised profit and loss, funding and fees; nothing unrealised."""
        owner = self._account(account)
        realized = sum(
            (
                position.realized
                for symbol, position in owner.positions.items()
                if self._products[symbol].kind is ProductKind.PERPETUAL and self._products[symbol].quote == currency
            ),
            ZERO,
        )
        return owner.cash.get(currency, ZERO) + realized

    def locked(self, currency: str, account: str | None = None) -> Decimal:
        """What open spot orders hold of a currency: the base of sells, the quote of buys (fees not counted)."""
        total = ZERO
        for order in self.orders(account=account, is_open=True):
            product = self._products[order.product]
            if product.kind is not ProductKind.SPOT:
                continue
            if order.side is Side.SELL and product.base == currency:
                total += order.leaves
            elif order.side is Side.BUY and product.quote == currency:
                if order.quote_amount is not None:
                    total += order.quote_amount - order.notional
                elif order.price is not None:
                    total += order.leaves * order.price
        return total

    def fees(self, currency: str, account: str | None = None) -> Decimal:
        """Fees paid so far; negative when rebates were more."""
        return self._account(account).fees.get(currency, ZERO)

    def check(self) -> None:
        """
        Check that everything adds up.

        Raises
        ------
        LedgerError
            If a position or its money does not cancel out over all accounts, if an order's fills do not
            sum to what it says, or if filled + leaves + canceled is not the original size.
        """
        for symbol in self._products:
            held = [a.positions[symbol] for a in self.accounts.values() if symbol in a.positions]
            with localcontext(prec=_DIGITS):
                if sum((p.net for p in held), ZERO) != 0 or sum((p.quote_flow for p in held), ZERO) != 0:
                    raise LedgerError(f"{symbol}: positions do not cancel out: {held}")
        for account in self.accounts.values():
            by_order: dict[str, list[Fill]] = defaultdict(list)
            for fill in account.fills:
                by_order[fill.venue_order_id].append(fill)
            for order in account.orders.values():
                self._check_order(order, by_order[order.venue_order_id])

    def _check_order(self, order: SimOrder, fills: list[Fill]) -> None:
        with localcontext(prec=_DIGITS):
            if sum((f.size for f in fills), ZERO) != order.filled:
                raise LedgerError(f"fills of {order.venue_order_id} do not sum to {order.filled}: {fills}")
            if sum((f.size * f.price for f in fills), ZERO) != order.notional:
                raise LedgerError(f"fills of {order.venue_order_id} do not cost {order.notional}: {fills}")
            if sum((f.fee for f in fills), ZERO) != order.fees + order.extra_fees:
                raise LedgerError(f"fees of {order.venue_order_id} are not {order.fees}: {fills}")
            if order.filled + order.leaves + order.canceled != order.quantity:
                raise LedgerError(f"{order.venue_order_id}: filled, leaves and canceled are not the size")
        if len({f.trade_id for f in fills}) != len(fills):
            raise LedgerError(f"{order.venue_order_id}: two fills with one trade id: {fills}")

    def _account(self, name: str | None) -> Account:
        return self.accounts[name or self.main_account]
