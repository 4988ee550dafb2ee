"""Our sFOX client at servers of somebody else's making (`sfox_server`): one whole life at each."""

from decimal import Decimal

import pytest
from nautilus_trader.model.enums import OrderSide, OrderStatus

from tests.foreign.sfox_desk import trading
from tests.foreign.sfox_server import OPTIONAL, Ways, foreign_sfox

WAYS = {
    "as documented": {},
    "end users": {"enterprise": True},
    "end users, only the orders feed": {"enterprise": True, "only_orders_feed": True, "missing": OPTIONAL},
    "end users, no tokens": {"enterprise": True, "tokens": False},
    "no optional call": {"missing": OPTIONAL},
    "no optional call, 405, no look-up": {"missing": OPTIONAL, "missing_status": 405, "looks_up": False},
    "no optional call, 501 and html": {"missing": OPTIONAL, "missing_status": 501, "missing_body": "<html>"},
    "only the orders feed": {"only_orders_feed": True},
    "no trades at all": {"trades_feed": False, "missing": {"/v1/account/trades"}},
    "no numbers on frames": {"sequence": "none", "ack_payload": False, "initial": "empty"},
    "numbers on data": {"sequence": "data", "initial": "none"},
    "the same number": {"sequence": "same"},
    "numbers": {"text": False, "payload_text": True},
    "few keys, lower case": {"sparse": True, "lower": True},
    "nulls, 200": {"nulls": True, "status": 200},
    "answer with an id only": {"create": "id", "closes": True},
    "stream first, all twice": {"ws_first": True, "repeats": 2, "done_at_once": True},
    "cancel answers nothing": {"cancel": ""},
}


@pytest.mark.parametrize("ways", WAYS.values(), ids=WAYS)
async def test_a_life(ways):
    async with foreign_sfox(Ways(**ways)) as server, trading(server) as desk:
        filled, canceled = desk.limit(), desk.limit(px="49000")
        await desk.until(filled, OrderStatus.ACCEPTED)
        await desk.until(canceled, OrderStatus.ACCEPTED)
        await server.fill(desk.at_venue(filled), "0.004")
        await desk.until(filled, OrderStatus.PARTIALLY_FILLED)
        await server.fill(desk.at_venue(filled), "0.006", "49990")
        desk.strategy.cancel_order(canceled)
        refused, taker = desk.limit(qty="6"), desk.market("0.01", OrderSide.SELL)
        await desk.until(filled, OrderStatus.FILLED)
        await desk.until(canceled, OrderStatus.CANCELED)
        await desk.until(taker, OrderStatus.FILLED)
        await desk.until(refused, OrderStatus.REJECTED)
        assert desk.names(filled) == ["Initialized", "Submitted", "Accepted", "Filled", "Filled"]
        assert desk.names(canceled) == ["Initialized", "Submitted", "Accepted", "Canceled"]
        assert desk.names(taker) == ["Initialized", "Submitted", "Accepted", "Filled"]
        assert desk.names(refused) == ["Initialized", "Submitted", "Rejected"]
        fills = desk.fills(filled)
        assert [f.last_px.as_decimal() for f in fills] == [50000, 49990]
        assert [f.last_qty.as_decimal() for f in fills] == [Decimal("0.004"), Decimal("0.006")]
