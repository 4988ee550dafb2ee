"""What every twin has without writing it."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

import pytest

from nautilus_orderfeeds.sim.clock import SimClock
from nautilus_orderfeeds.sim.faults import FaultInjector
from nautilus_orderfeeds.sim.model import EndReason, Fee, Liquidity, OrderState, Product, Side, SimOrder
from nautilus_orderfeeds.sim.server import SimServer
from nautilus_orderfeeds.sim.venue import SimParts, VenueTwin

D = Decimal
PRODUCT = Product("X-PERP", "X", "USD", D("0.5"), D("0.1"), D("0.1"), D("1000"))


class Twin(VenueTwin):
    """A venue that says nothing to anybody."""

    config_prefix: ClassVar[str] = "None"

    def __init__(self, parts: SimParts) -> None:
        super().__init__(parts, [PRODUCT])
        self.ledger.add_account("me")

    def credentials(self) -> dict[str, object]:
        return {}

    def place_external(self, key: str) -> SimOrder:
        order = SimOrder(key, "me", "X-PERP", Side.BUY, D(1), D(999))
        self.market.submit(order)
        return order

    def _fee(self, order: SimOrder, price: Decimal, size: Decimal, liquidity: Liquidity) -> Fee:
        return Fee()


@pytest.fixture
def twin() -> Twin:
    faults = FaultInjector(1)
    return Twin(SimParts(seed=1, clock=SimClock(), faults=faults, server=SimServer(faults)))


@pytest.mark.parametrize("reason", [EndReason.USER, EndReason.ADMIN])
@pytest.mark.parametrize("by_key", [True, False])
def test_an_order_is_canceled_from_elsewhere(twin: Twin, reason: EndReason, by_key: bool) -> None:
    order = twin.place_external("o-1")
    twin.cancel_external("o-1" if by_key else order, reason=reason)
    assert (order.state, order.end_reason) == (OrderState.CANCELED, reason)


async def test_what_it_began_ends_with_it(twin: Twin) -> None:
    path = twin._config_file("instruments.json")
    path.write_text("{}")
    assert twin._config_file("instruments.json") == path
    done: list[int] = []
    await twin.start()
    twin._later.once(60.0, lambda: done.append(1))
    await twin.stop()
    assert not path.parent.exists()
    assert not done
    await twin.stop()  # once more is no error
