"""By which keys an order is known again (protocol, 5.3 and 6).

The client order id goes out as the strategy's framework made it, and comes back in every order object. But the draft's
page shows one and the same on both orders of an OCO pair, so there it names the pair, and only together with type and
limit price one of the two.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Final

from nautilus_orderfeeds.orders.decimals import plain
from nautilus_orderfeeds.orders.requests import NewOrder, OrderRef
from nautilus_orderfeeds.venues.acttrader.words import WireType, wire_type
from nautilus_orderfeeds.venues.decoding import is_id

_CLIENT_ID: Final = "cid:"
_LEG: Final = "leg:"


def single_refs(client_order_id: str) -> tuple[str, ...]:
    """Return the key of an order that stands alone."""
    return (f"{_CLIENT_ID}{client_order_id}",)


def leg_refs(leg: NewOrder) -> tuple[str, ...]:
    """Return the keys of one order of an OCO pair: either order's client order id may come back with it."""
    text = leg_text(wire_type(leg.type), leg.price)
    return tuple(f"{_LEG}{cid}|{text}" for cid in (leg.client_order_id, *leg.linked_order_ids))


def leg_text(type_: WireType | None, price: Decimal | None) -> str:
    """Return what tells an order of a pair from the other, and is told in every order object of either dialect."""
    if type_ is None:
        return ""
    is_priced = type_ in (WireType.LIMIT, WireType.STOP_LIMIT) and price is not None
    return f"{type_.value}|{plain(price)}" if is_priced and price is not None else type_.value


def told_refs(client_order_id: str | None, type_: str, price: Decimal | None) -> tuple[str, ...]:
    """Return all keys that an order object may match. A foreign client order id that is no id is no key."""
    if not client_order_id or not is_id(client_order_id):
        return ()
    single = f"{_CLIENT_ID}{client_order_id}"
    try:
        return (single, f"{_LEG}{client_order_id}|{leg_text(WireType(type_), price)}")
    except ValueError:
        return (single,)


def is_leg(ref: OrderRef) -> bool:
    """Return whether `ref` is one of an OCO pair."""
    return any(key.startswith(_LEG) for key in ref.refs)


def client_order_ids(ref: OrderRef) -> list[str]:
    """Return the client order ids under which the venue may know `ref`, its own first."""
    found = [ref.client_order_id]
    for key in ref.refs:
        if key.startswith(_LEG):
            client_order_id = key[len(_LEG) :].split("|", 1)[0]
            if client_order_id not in found:
                found.append(client_order_id)
    return found


def match_legs(legs: Sequence[tuple[str, WireType | None]], rows: Sequence[tuple[str | None, str]]) -> list[int] | None:
    """Say which row of an OCO answer is about which leg (protocol, 5.3).

    Parameters
    ----------
    legs : Sequence of (client order id, type)
        As sent.
    rows : Sequence of (client order id, type)
        As answered.

    Returns
    -------
    list[int] or None
        For each leg the index of its row: by client order id if those differ, else by type if those differ, else by
        position. None if there are not as many rows as legs.
    """
    if len(rows) != len(legs):
        return None
    for wanted, told in (
        ([client_order_id for client_order_id, _ in legs], [client_order_id for client_order_id, _ in rows]),
        ([type_.value if type_ else "" for _, type_ in legs], [type_ for _, type_ in rows]),
    ):
        if _same_and_distinct(wanted, told):
            return [told.index(text) for text in wanted]
    return list(range(len(legs)))


def _same_and_distinct(wanted: Sequence[str | None], told: Iterable[str | None]) -> bool:
    return len(set(wanted)) == len(wanted) and set(wanted) == set(told)
