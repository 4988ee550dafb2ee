"""A reading of which one part fails is none: what its other parts proved is proved again by the next one."""

from decimal import Decimal
from typing import Any

import pytest

from nautilus_orderfeeds.feed.errors import TransientFeedError
from nautilus_orderfeeds.orders.requests import OrderRef, Unknown
from nautilus_orderfeeds.orders.updates import VenueStatus
from nautilus_orderfeeds.orders.words import ContingencyType, OrderSide, OrderType
from nautilus_orderfeeds.sim import simulate
from nautilus_orderfeeds.sim.faults import Fault
from nautilus_orderfeeds.venues.outpoll.settings import OutpollSettings
from nautilus_orderfeeds.venues.outpoll.twin_products import ASSETS, QUOTE_ASSET
from nautilus_orderfeeds.venues.outpoll.venue import OutpollVenue
from nautilus_orderfeeds.venues.secrets import Secret
from tests.support.outpoll_client import ASSET, TRADES
from tests.support.outpoll_rows import new_order, spec

POSITIONS = "GET /api/history/deals/open-positions*"


async def opened(sim: Any, **settings: Any) -> OutpollVenue:
    """A venue that is open, and believes each reading at once."""
    config = sim.exec_config()
    venue = OutpollVenue(
        OutpollSettings(
            base_url_http=config.base_url_http,
            base_url_ws=config.base_url_ws,
            api_key=config.api_key,
            api_secret=Secret(config.api_secret),
            requests_per_sec=500,
            read_settle_secs=0.0,
            read_gap_secs=0.0,
            **settings,
        )
    )
    outcome = ASSETS[ASSET].outcome
    ids = {"event_id": outcome.event.event_id, "outcome_id": outcome.outcome_id, "quote_asset_id": QUOTE_ASSET}
    venue.use_instruments([spec(ASSET, **ids)])
    await venue.open()
    return venue


@pytest.mark.parametrize("fields", [TRADES, None], ids=["trades", "derived"])
async def test_an_order_found_again_is_told_although_the_positions_failed_then(fields: Any) -> None:
    async with simulate("outpoll", seed=5, market_flow=False, amount_decimals=8) as sim:
        venue = await opened(sim, trades_fields=fields)
        try:
            price = sim.market.best(ASSET)[1]
            order = new_order(symbol=ASSET, price=price)
            ref = OrderRef(client_order_id="O-1", symbol=ASSET, terms=order, created_ns=1)
            sim.faults.once(Fault.LOST_ANSWER, where="POST*")
            outcome, _ = await venue.submit(venue.prepare(order))
            assert isinstance(outcome, Unknown)

            broken = sim.faults.arm(Fault.ERROR_BEFORE_EFFECT, where=POSITIONS)
            for _ in range(3):
                with pytest.raises(TransientFeedError):
                    await venue.resync([ref], 1)
            sim.faults.disarm(broken)

            (update,) = (await venue.resync([ref], 1)).updates
            assert (update.client_order_id, update.status) == ("O-1", VenueStatus.FILLED)
            filled = update.filled_qty if fields is None else sum(fill.last_qty for fill in update.fills)
            assert filled == Decimal(10)
        finally:
            await venue.close()


async def test_an_order_beside_a_pair_is_told_although_the_list_of_pairs_failed_then() -> None:

    async with simulate("outpoll", seed=5, market_flow=False, amount_decimals=8) as sim:
        venue = await opened(sim, trades_fields=TRADES, tpsl=True)
        try:
            buy = new_order("O-1", symbol=ASSET, price=sim.market.best(ASSET)[1])
            await venue.submit(venue.prepare(buy))
            oco: dict[str, Any] = {"symbol": ASSET, "side": OrderSide.SELL, "contingency_type": ContingencyType.OCO}
            take = new_order("O-2", price=Decimal("0.98"), **oco)
            stop = new_order("O-3", type=OrderType.STOP_MARKET, price=None, trigger_price=Decimal("0.02"), **oco)
            await venue.submit_list([venue.prepare(take), venue.prepare(stop)])
            refs = [
                OrderRef(client_order_id=each.client_order_id, symbol=ASSET, terms=each) for each in (buy, take, stop)
            ]

            broken = sim.faults.arm(Fault.ERROR_BEFORE_EFFECT, where="GET /orders/tpsl*")
            for _ in range(3):
                with pytest.raises(TransientFeedError):
                    await venue.look_up(refs, 1)
            sim.faults.disarm(broken)

            told = {update.client_order_id: update for update in (await venue.look_up(refs, 1)).updates}
            assert told["O-1"].status is VenueStatus.FILLED
            assert sum(fill.last_qty for fill in told["O-1"].fills) == Decimal(10)
            assert {told["O-2"].status, told["O-3"].status} == {VenueStatus.WORKING}
        finally:
            await venue.close()
