"""What was shown of orders, as it stood some changes ago."""

from dataclasses import dataclass
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from nautilus_orderfeeds.sim import Side
from nautilus_orderfeeds.sim.model import SimOrder
from nautilus_orderfeeds.sim.views import OrderViews

ORDERS = [SimOrder(f"o-{n}", "me", "X", Side.BUY, Decimal(1)) for n in range(4)]


@dataclass(frozen=True)
class View:
    order: SimOrder
    number: int


@given(st.lists(st.sampled_from(ORDERS), max_size=30), st.integers(0, 40))
def test_the_past_is_what_was_shown_then(changes: list[SimOrder], lag: int) -> None:
    views: OrderViews[View] = OrderViews()
    latest: dict[str, View] = {}
    past: list[list[View]] = [[]]
    for number, order in enumerate(changes):
        view = View(order, number)
        assert views.add(view) is latest.get(order.venue_order_id)
        latest[order.venue_order_id] = view
        past.append(list(latest.values()))
    assert views.shown(lag) == past[max(0, len(changes) - lag)]
    assert all(views.latest(order.venue_order_id) is latest.get(order.venue_order_id) for order in ORDERS)


def test_it_does_not_grow_for_ever() -> None:
    views: OrderViews[View] = OrderViews()
    for number in range(5000):
        views.add(View(ORDERS[number % 4], number))
    assert [view.number for view in views.shown(3)] == [4996, 4993, 4994, 4995]
    assert len(views._replaced) < 5000
