"""Our BSX client at venue servers of somebody else's making (`bsx_server`): one whole life at each."""

from decimal import Decimal

import pytest
from nautilus_trader.model.enums import OrderStatus

from tests.foreign.bsx_desk import BTC, trading
from tests.foreign.bsx_server import OPTIONAL, Ways, foreign_bsx

WAYS = {
    "as documented": {},
    "no optional call": {"missing": OPTIONAL},
    "no optional call, 405 and text": {"missing": OPTIONAL, "missing_status": 405, "missing_body": "nope"},
    "no optional call, 501 and html": {"missing": OPTIONAL, "missing_status": 501, "missing_body": "<html>501</html>"},
    "no optional call, nothing said": {"missing": OPTIONAL, "missing_body": "", "acks": True, "sparse": True},
    "optional calls are empty": {"empty": OPTIONAL},
    "ack, no greeting": {"acks": True, "greets": False},
    "ack, no empty snapshot": {"acks": True, "snapshots": False},
    "only a snapshot, 201": {"status": 201},
    "trades absent": {"trades": "absent", "missing": OPTIONAL},
    "trades empty": {"trades": "empty"},
    "trades null": {"trades": "null"},
    "trades of another shape": {"trades": "odd", "missing": OPTIONAL},
    "numbers": {
        "numbers": True,
        "domain": {"main": {"name": "F", "version": "1", "chain_id": 5, "verifying_contract": "0x" + "0" * 40}},
    },
    "lower case": {"lower": True, "missing": OPTIONAL},
    "nulls": {"nulls": True, "missing": OPTIONAL},
    "times 0": {"zero_times": True},
    "further keys": {"extra": True},
    "few keys": {"sparse": True, "missing": OPTIONAL},
    "ids are not echoed": {"echoes": False},
    "ids are not echoed, stream first": {"echoes": False, "ws_first": True, "missing": OPTIONAL},
    "answer with an id only": {"create": "id", "missing": OPTIONAL},
    "answer with an order_id only": {"create": "order_id", "missing": OPTIONAL, "echoes": False},
    "stream first": {"ws_first": True},
    "answer is open": {"create": "filled"},
    "all twice": {"repeats": 2},
    "cancel answers nothing": {"cancel_answer": "empty"},
    "cancel answers the order": {"cancel_answer": "order"},
    "cancel answers success": {"cancel_answer": "success"},
    "connections close": {"closes": True},
    "slow": {"slow_secs": 0.15},
    "no path": {"ws_path": "/stream"},
    "old domain": {"domain": {"name": "F", "version": "1", "chain_id": "5", "verifying_contract": "0x" + "0" * 40}},
    "no domain": {"missing": {"/chain/configs"}},
    "portfolio of few keys": {"portfolio": {"summary": {"usdc_balance": "5000"}}},
    "portfolio of nothing": {"portfolio": {"positions": []}},
}


@pytest.mark.parametrize("ways", WAYS.values(), ids=WAYS)
async def test_a_life(ways):
    async with foreign_bsx(Ways(**ways)) as server, trading(server) as desk:
        await a_life(desk)


async def a_life(desk):
    server = desk.server
    filled, canceled = desk.limit(), desk.limit(px="49000")
    await desk.until(filled, OrderStatus.ACCEPTED)
    await desk.until(canceled, OrderStatus.ACCEPTED)
    await server.fill(desk.at_venue(filled), "0.004")
    await desk.until(filled, OrderStatus.PARTIALLY_FILLED)
    await server.fill(desk.at_venue(filled), "0.006", "49990")
    desk.strategy.cancel_order(canceled)
    refused = desk.limit(qty="6")
    taker = desk.market()
    outside = server.new(size="0.02", price="48000")
    await server.open(outside)
    await server.fill(outside, "0.02")
    await desk.until(filled, OrderStatus.FILLED)
    await desk.until(canceled, OrderStatus.CANCELED)
    await desk.until(taker, OrderStatus.FILLED)
    await desk.until(refused, OrderStatus.REJECTED)
    await desk.run.until(lambda: len(desk.run.cache.orders(venue=BTC.venue)) == 5, "the order entered elsewhere")
    (foreign,) = [o for o in desk.run.cache.orders() if o.strategy_id.value == "EXTERNAL"]
    await desk.until(foreign, OrderStatus.FILLED)
    assert desk.names(filled) == ["Initialized", "Submitted", "Accepted", "Filled", "Filled"]
    assert desk.names(canceled) == ["Initialized", "Submitted", "Accepted", "Canceled"]
    assert desk.names(taker) == ["Initialized", "Submitted", "Accepted", "Filled"]
    assert desk.names(refused) == ["Initialized", "Submitted", "Rejected"]
    assert [f.last_px.as_decimal() for f in desk.fills(filled)] == [50000, 49990]
    assert [f.last_qty.as_decimal() for f in desk.fills(filled)] == [Decimal("0.004"), Decimal("0.006")]
    assert foreign.filled_qty.as_decimal() == Decimal("0.02")
    assert desk.run.cache.account_for_venue(BTC.venue).id.value == "BSX-007"
