"""What the framework believes against what the simulated venue knows: orders, fills, fees, positions, balances.

The demonstration ends with this, and the tests of faults do. Nothing is taken from the adapter's own bookkeeping: one
side is the framework's cache, the other the venue's ledger.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from nautilus_trader.model.enums import OrderStatus
from nautilus_trader.model.identifiers import AccountId, InstrumentId, Symbol, Venue, VenueOrderId
from nautilus_trader.model.objects import Currency

from nautilus_orderfeeds.orders.decimals import plain
from nautilus_orderfeeds.sim.model import EndReason, OrderState, SimOrder

_OPEN = frozenset(
    {
        OrderStatus.ACCEPTED,
        OrderStatus.PARTIALLY_FILLED,
        OrderStatus.TRIGGERED,
        OrderStatus.PENDING_CANCEL,
        OrderStatus.PENDING_UPDATE,
    },
)
#: What a venue calls a cancel although it never let the order live: the framework may call it rejected.
_REFUSALS = frozenset({EndReason.POST_ONLY, EndReason.MARGIN, EndReason.REDUCE_ONLY, EndReason.REFUSED})


@dataclass(frozen=True, slots=True)
class Row:
    """One compared value."""

    what: str
    venue: str
    framework: str

    @property
    def agrees(self) -> bool:
        """Whether both sides say the same."""
        return self.venue == self.framework


@dataclass(slots=True)
class Comparison:
    """All rows of one venue; `orders` and `fills` count what was compared."""

    name: str
    orders: int = 0
    fills: int = 0
    rows: list[Row] = field(default_factory=list)

    @property
    def differences(self) -> list[Row]:
        """The rows in which the two sides differ."""
        return [row for row in self.rows if not row.agrees]

    def add(self, what: str, venue: object, framework: object) -> None:
        """Compare two values by their text."""
        self.rows.append(Row(what, _text(venue), _text(framework)))


def _text(value: object) -> str:
    return plain(value) if isinstance(value, Decimal) else str(value)


def compare(
    sim: Any, cache: Any, venue: str, account_id: AccountId, *, price_tolerance: Decimal = Decimal(0)
) -> Comparison:
    """Compare the framework's cache with a simulated venue's ledger.

    Parameters
    ----------
    sim : Simulation
        The simulated venue.
    cache : nautilus_trader.cache.Cache
        The framework's cache.
    venue : str
        Framework venue.
    account_id : AccountId
        The framework's account.
    price_tolerance : Decimal
        Allowed difference of an order's notional per unit filled (quote), where fills had to be inferred from an
        average; 0 demands equality.

    Returns
    -------
    Comparison
    """
    result = Comparison(venue)
    ledger = sim.ledger
    ledger.check()
    known: set[str] = set()
    for sim_order in ledger.orders():
        if sim_order.state is OrderState.PENDING:
            continue
        known.add(sim_order.venue_order_id)
        _order(result, sim_order, ledger.fills(sim_order), cache, price_tolerance)
    for order in cache.orders(venue=Venue(venue)):
        venue_order_id = order.venue_order_id.value if order.venue_order_id is not None else None
        if venue_order_id in known or order.status in (OrderStatus.DENIED, OrderStatus.REJECTED):
            continue
        result.add(f"order {order.client_order_id} at the venue", "no such order", f"{order.status_string()}")
    _positions(result, ledger, cache, venue)
    _balances(result, sim, cache, account_id)
    return result


def _order(result: Comparison, sim_order: SimOrder, fills: Iterable[Any], cache: Any, tolerance: Decimal) -> None:
    result.orders += 1
    label = f"order {sim_order.venue_order_id[:8]}"
    client_order_id = cache.client_order_id(VenueOrderId(sim_order.venue_order_id))
    order = cache.order(client_order_id) if client_order_id is not None else None
    if order is None:
        if sim_order.filled or sim_order.is_open:
            result.add(label, f"{sim_order.state.name}, filled {plain(sim_order.filled)}", "unknown")
        return
    result.add(f"{label} status", *_statuses(sim_order, order))
    result.add(f"{label} filled", sim_order.filled, order.filled_qty.as_decimal())
    told = [event for event in order.events if type(event).__name__ == "OrderFilled"]
    notional = sum((f.last_qty.as_decimal() * f.last_px.as_decimal() for f in told), Decimal(0))
    if abs(notional - sim_order.notional) <= tolerance * sim_order.filled:
        notional = sim_order.notional
    result.add(f"{label} notional", sim_order.notional, notional)
    fees = sum((f.commission.as_decimal() for f in told), Decimal(0))
    true_fees = sum((fill.fee for fill in fills), Decimal(0))
    places = told[0].commission.currency.precision if told else 8
    step = Decimal(1).scaleb(-places)
    # Each commission is rounded to the currency's precision by the framework.
    if abs(fees - true_fees) <= step * len(told):
        fees = true_fees
    result.add(f"{label} fees", true_fees, fees)
    venue_fills = list(fills)
    result.fills += len(venue_fills)
    if not any((event.info or {}).get("inferred") for event in told):
        mine = sorted((f.last_qty.as_decimal(), f.last_px.as_decimal()) for f in told)
        theirs = sorted((f.size, f.price) for f in venue_fills)
        result.add(f"{label} fills", _fills(theirs), _fills(mine))


def _fills(fills: list[tuple[Decimal, Decimal]]) -> str:
    return ", ".join(f"{plain(qty)} @ {plain(px)}" for qty, px in fills) or "none"


def _statuses(sim_order: SimOrder, order: Any) -> tuple[str, str]:
    """Return both statuses in common words."""
    state = sim_order.state
    name = order.status_string()
    if order.status in _OPEN:
        name = "OPEN"
    if state.is_open:
        return "OPEN", name
    if state is OrderState.CANCELED and name == "REJECTED" and sim_order.end_reason in _REFUSALS:
        return "REJECTED", name
    return state.name, name


def _positions(result: Comparison, ledger: Any, cache: Any, venue: str) -> None:
    symbols = {order.product for order in ledger.orders()}
    for symbol in sorted(symbols):
        instrument_id = InstrumentId(Symbol(symbol.upper()), Venue(venue))
        positions = cache.positions_open(instrument_id=instrument_id)
        net = sum((p.signed_decimal_qty() for p in positions), Decimal(0))
        result.add(f"position {symbol}", ledger.position(symbol).net, net)


def _balances(result: Comparison, sim: Any, cache: Any, account_id: AccountId) -> None:
    account = cache.account(account_id)
    if account is None:
        result.add("account", "open", "unknown")
        return
    owner = sim.ledger.accounts[sim.ledger.main_account]
    for code in sorted(set(owner.cash) | {currency.code for currency in account.balances()}):
        told = account.balance_total(Currency.from_str(code))
        if told is None:
            result.add(f"balance {code}", sim.ledger.balance(code), "unknown")
            continue
        true = sim.ledger.balance(code)
        step = Decimal(1).scaleb(-told.currency.precision)
        mine = told.as_decimal()
        result.add(f"balance {code}", true, true if abs(true - mine) <= step else mine)
