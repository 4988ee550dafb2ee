"""Whether a strategy had the same order events live and in a backtest, but for the differences of `docs/parity.md`.

Every allowed difference is a member of `Difference`. Those that concern single values are taken out of the comparison
here (`NEVER_COMPARED`) or on request; those that change what a strategy does have a test of their own, which shows that
the difference is there, and that nothing else is.
"""

from collections.abc import Iterable
from decimal import Decimal
from enum import Enum, unique
from typing import Any

from nautilus_trader.model.enums import liquidity_side_to_str, order_side_to_str, time_in_force_to_str
from nautilus_trader.model.events import OrderEvent, OrderFilled, OrderInitialized, OrderUpdated

from tests.support.recorded_market import Played
from tests.support.venue_profile import VenueProfile


@unique
class Difference(Enum):
    """A difference between live and backtest; the value is its heading in `docs/parity.md`."""

    IDS_AND_TIMES = "Ids and times"
    INTERLEAVING = "Interleaving of orders"
    REASONS = "Reasons of refusals"
    COMMISSIONS = "Commissions"
    LIQUIDITY_SIDES = "Maker or taker"
    OWN_QUOTES = "Own orders in the venue's quotes"
    GAP_FILLS = "One fill a side and quote"
    TRADE_THROUGH = "Trades beyond a resting order's price"
    SPLIT_FILLS = "Fills across price levels"
    MARKET_ACKS = "Market orders without an acceptance"
    DENIALS = "What a venue cannot do"
    AMENDS = "Changes a venue refuses"
    ALL_OR_NONE = "All-or-none orders"
    EXTERNAL_ORDERS = "Orders placed elsewhere"
    OUTAGES = "Outages"


#: Values that are never compared, because they cannot be the same.
NEVER_COMPARED = frozenset(
    {Difference.IDS_AND_TIMES, Difference.INTERLEAVING, Difference.REASONS, Difference.COMMISSIONS}
)

Line = tuple[str, ...]


def lines(event: OrderEvent, without: frozenset[Difference] = NEVER_COMPARED) -> Line:
    """Return what is compared of one event: its kind and every value that is not excepted."""
    kind = type(event).__name__
    line: list[str] = [kind]
    match event:
        case OrderInitialized():
            line += [order_side_to_str(event.side), _number(event.quantity), time_in_force_to_str(event.time_in_force)]
            line += [f"{key}={_number(value)}" for key, value in sorted(event.options.items()) if key in _TERMS]
            line += [f"post_only={event.post_only}", f"reduce_only={event.reduce_only}"]
        case OrderFilled():
            line += [_number(event.last_qty), _number(event.last_px)]
            if Difference.LIQUIDITY_SIDES not in without:
                line.append(liquidity_side_to_str(event.liquidity_side))
            if Difference.COMMISSIONS not in without:
                line.append(_number(event.commission.as_decimal()))
        case OrderUpdated():
            line += [_number(event.quantity), _number(event.price), _number(event.trigger_price)]
    if Difference.REASONS not in without and hasattr(event, "reason"):
        line.append(str(event.reason))
    if Difference.IDS_AND_TIMES not in without:
        line += [str(event.ts_event), str(getattr(event, "venue_order_id", ""))]
    return tuple(line)


def allowed(profile: VenueProfile) -> frozenset[Difference]:
    """Return what is not compared at a venue in every play."""
    return NEVER_COMPARED | {Difference.LIQUIDITY_SIDES} if profile.name in SILENT_ON_LIQUIDITY else NEVER_COMPARED


#: Venues that do not tell of every fill whether it rested or took.
SILENT_ON_LIQUIDITY = ("sfox", "acttrader", "roxom")

_TERMS = ("price", "trigger_price", "display_qty")


def _number(value: Any) -> str:
    """A number without trailing zeros, whatever the precision it was written with."""
    if value is None:
        return ""
    number = value if isinstance(value, Decimal) else Decimal(str(value).replace("_", ""))
    return f"{number.normalize():f}"


def by_order(played: Played, without: frozenset[Difference] = NEVER_COMPARED) -> list[tuple[str, list[Line]]]:
    """Return (role, events) of each order, in the sequence in which the strategies made them."""
    found: dict[Any, tuple[str, list[Line]]] = {}
    for role, event in played.events:
        found.setdefault(event.client_order_id, (role, []))[1].append(lines(event, without))
    return list(found.values())


def in_sequence(played: Played, without: frozenset[Difference] = NEVER_COMPARED) -> list[tuple[str, Line]]:
    """Return (role, event) of everything that was told, in its sequence."""
    return [(role, lines(event, without)) for role, event in played.events]


def fills(played: Played) -> list[tuple[str, str, str]]:
    """Return (role, quantity, price) of every fill in the sequence in which they were told, over all orders."""
    found = [(role, event) for role, event in played.events if isinstance(event, OrderFilled)]
    return [(role, _number(fill.last_qty), _number(fill.last_px)) for role, fill in found]


def contradictions(live: Played, backtest: Played) -> list[str]:
    """Return the fills of which the venue says that they rested, and the backtest that they took, or the reverse."""
    pairs = zip(_sides(live), _sides(backtest), strict=True)
    return [f"fill {n}: {a} and {b}" for n, (a, b) in enumerate(pairs) if a != b and a != "NO_LIQUIDITY_SIDE"]


def _sides(played: Played) -> list[str]:
    return [liquidity_side_to_str(e.liquidity_side) for _, e in played.events if isinstance(e, OrderFilled)]


def mismatches(live: Played, backtest: Played, without: Iterable[Difference] = NEVER_COMPARED) -> list[str]:
    """Return in what the two differ, in words; empty if they do not."""
    left_out = frozenset(without)
    if Difference.INTERLEAVING not in left_out:
        first, second = in_sequence(live, left_out), in_sequence(backtest, left_out)
        return [] if first == second else ["the sequences of all events differ"]
    told: list[str] = []
    ours, theirs = by_order(live, left_out), by_order(backtest, left_out)
    if [role for role, _ in ours] != [role for role, _ in theirs]:
        told.append(f"orders: live {[role for role, _ in ours]}, backtest {[role for role, _ in theirs]}")
    for number, ((role, events), (other_role, others)) in enumerate(zip(ours, theirs, strict=False)):
        if (role, events) != (other_role, others):
            told.append(f"order {number}: live {role} {events}, backtest {other_role} {others}")
    return told


def positions(played: Played) -> dict[str, Decimal]:
    """Return the net position of each strategy at the end, base units."""
    found: dict[str, Decimal] = {}
    for position in played.cache.positions():
        name = position.strategy_id.value
        found[name] = found.get(name, Decimal(0)) + position.signed_decimal_qty()
    return found
