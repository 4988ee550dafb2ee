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

from nautilus_orderfeeds.adapter.contingency import is_held
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
    """One compared value: `aspect` of `subject` (an order, a position, a balance), as each side has it."""

    subject: str
    aspect: str
    venue: str
    framework: str

    @property
    def what(self) -> str:
        """Subject and aspect in one."""
        return f"{self.subject} {self.aspect}".rstrip()

    @property
    def agrees(self) -> bool:
        """Whether both sides say the same."""
        return self.venue == self.framework


@dataclass(slots=True)
class Comparison:
    """All rows of one venue.

    `orders` and `fills` count what was compared; `client_order_ids` gives the framework's name of an order by subject;
    `inferred` has the orders of which some fills were told by the venue's totals only, so that they are no list of
    trades.
    """

    name: str
    orders: int = 0
    fills: int = 0
    rows: list[Row] = field(default_factory=list)
    client_order_ids: dict[str, str] = field(default_factory=dict)
    inferred: set[str] = field(default_factory=set)

    @property
    def differences(self) -> list[Row]:
        """The rows in which the two sides differ."""
        return [row for row in self.rows if not row.agrees]

    def by_subject(self) -> dict[str, list[Row]]:
        """The rows of each subject, in the sequence in which they were compared."""
        found: dict[str, list[Row]] = {}
        for row in self.rows:
            found.setdefault(row.subject, []).append(row)
        return found

    def add(self, subject: str, aspect: str, venue: object, framework: object) -> None:
        """Compare two values by their text."""
        self.rows.append(Row(subject, aspect, _text(venue), _text(framework)))


def _text(value: object) -> str:
    return plain(value) if isinstance(value, Decimal) else str(value)


def compare(
    sim: Any,
    cache: Any,
    venue: str,
    account_id: AccountId,
    *,
    price_tolerance: Decimal = Decimal(0),
    unresolved_ok: bool = False,
    balances: bool = True,
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
    unresolved_ok : bool
        Accept orders in flight which the venue does not know: a request may be lost, and until the venue's own rules
        make that final, "in flight" is the truth.
    balances : bool
        Compare balances too. Those that the framework calculates depend on the sequence in which it heard of fills.

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
        if is_held(venue_order_id):
            continue  # kept by the client: rightly unknown to the venue
        if venue_order_id in known or order.status in (OrderStatus.DENIED, OrderStatus.REJECTED):
            continue
        if not any(type(event).__name__ == "OrderSubmitted" for event in order.events):
            continue  # cancelled by the framework itself before it was sent
        if unresolved_ok and venue_order_id is None and order.is_inflight:
            continue
        result.add(f"order {order.client_order_id}", "at the venue", "no such order", f"{order.status_string()}")
    _positions(result, ledger, cache, venue)
    if balances:
        _balances(result, sim, cache, account_id)
    return result


def _order(result: Comparison, sim_order: SimOrder, fills: Iterable[Any], cache: Any, tolerance: Decimal) -> None:
    label = f"order {sim_order.venue_order_id}"
    client_order_id = cache.client_order_id(VenueOrderId(sim_order.venue_order_id))
    order = cache.order(client_order_id) if client_order_id is not None else None
    if order is None:
        if sim_order.filled or sim_order.is_open:
            at_venue = f"{sim_order.state.name}, filled {plain(sim_order.filled)}"
            result.orders += 1
            result.add(label, "at the venue", at_venue, "unknown")
        return
    result.orders += 1
    result.client_order_ids[label] = order.client_order_id.value
    result.add(label, "status", *_statuses(sim_order, order))
    result.add(label, "filled", sim_order.filled, order.filled_qty.as_decimal())
    told = [event for event in order.events if type(event).__name__ == "OrderFilled"]
    notional = sum((f.last_qty.as_decimal() * f.last_px.as_decimal() for f in told), Decimal(0))
    if abs(notional - sim_order.notional) <= tolerance * sim_order.filled:
        notional = sim_order.notional
    result.add(label, "notional", sim_order.notional, notional)
    fees = sum((f.commission.as_decimal() for f in told), Decimal(0))
    true_fees = sum((fill.fee for fill in fills), Decimal(0))
    places = told[0].commission.currency.precision if told else 8
    step = Decimal(1).scaleb(-places)
    # Each commission is rounded to the currency's precision by the framework.
    if abs(fees - true_fees) <= step * len(told):
        fees = true_fees
    result.add(label, "fees", true_fees, fees)
    venue_fills = list(fills)
    result.fills += len(venue_fills)
    if any((event.info or {}).get("inferred") for event in told):
        result.inferred.add(label)
    else:
        mine = sorted((f.last_qty.as_decimal(), f.last_px.as_decimal()) for f in told)
        theirs = sorted((f.size, f.price) for f in venue_fills)
        result.add(label, "fills", _fills(theirs), _fills(mine))


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
    nets: dict[InstrumentId, Decimal] = {}
    for position in cache.positions_open(venue=Venue(venue)):
        nets[position.instrument_id] = nets.get(position.instrument_id, Decimal(0)) + position.signed_decimal_qty()
    for product in sorted({order.product for order in ledger.orders()}):
        instrument_id = instrument_id_of(product, cache, venue)
        result.add(f"position {product}", "net", ledger.position(product).net, nets.pop(instrument_id, Decimal(0)))
    for instrument_id, net in nets.items():
        result.add(f"position {instrument_id.symbol}", "net", "never traded", net)


def instrument_id_of(product: str, cache: Any, venue: str) -> InstrumentId:
    """Return the framework's instrument id of a simulated venue's product."""
    for instrument in cache.instruments(venue=Venue(venue)):
        if instrument.raw_symbol.value == product:
            return instrument.id
    return InstrumentId(Symbol(product.upper()), Venue(venue))


def _balances(result: Comparison, sim: Any, cache: Any, account_id: AccountId) -> None:
    account = cache.account(account_id)
    if account is None:
        result.add("account", "", "open", "unknown")
        return
    owner = sim.ledger.accounts[sim.ledger.main_account]
    # The framework's codes are in upper case, a venue's may not be.
    # What a venue holds of an instrument itself is compared as a position.
    names = {name.upper(): name for name in owner.cash if name not in sim.market.products}
    for code in sorted(names.keys() | {currency.code for currency in account.balances()}):
        told = account.balance_total(Currency.from_str(code))
        true = sim.ledger.balance(names.get(code, code))
        if told is None:
            result.add(f"balance {code}", "total", true, "unknown")
            continue
        step = Decimal(1).scaleb(-told.currency.precision)
        mine = told.as_decimal()
        result.add(f"balance {code}", "total", true, true if abs(true - mine) <= step else mine)
