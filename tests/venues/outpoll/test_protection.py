"""Take-profit and stop-loss: custom data from the stream, and an OCO pair as one entry at the venue."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from nautilus_trader.model.enums import OrderSide, OrderStatus
from nautilus_trader.model.identifiers import InstrumentId

from nautilus_orderfeeds.sim import simulate
from nautilus_orderfeeds.sim.faults import Fault
from nautilus_orderfeeds.sim.model import Side
from tests.support.nodes import Run
from tests.support.outpoll_client import ASSET, FAST, TRADES, Trader, books_agree, node_at, trading

SEED = Path(__file__).parent / "samples" / "seed"


@pytest.mark.node
@pytest.mark.timeout(60)
async def test_the_pages_tpsl_update_reaches_a_strategy() -> None:
    async with trading({}, **FAST) as (_, run, strategy):
        run.exec_client("OUTPOLL").handle_frame((SEED / "ws-server-tpsl-update.json").read_bytes())
        await run.until(lambda: strategy.heard, "the update")

        (update,) = strategy.heard
        assert update.instrument_id == InstrumentId.from_str("asset-id.OUTPOLL")
        assert (update.venue_order_id, update.status) == ("order-id", "ACTIVE")
        assert (update.quantity, update.take_profit, update.stop_loss) == ("100", "0.95", "0.1")


@pytest.mark.node
@pytest.mark.timeout(60)
async def test_pairs_are_denied_by_default() -> None:
    async with trading({}, **FAST) as (sim, run, strategy):
        legs = strategy.protect(10, "0.80", "0.20")
        await run.until(lambda: all(leg.is_closed for leg in legs), "the denials")

        assert [leg.status for leg in legs] == [OrderStatus.DENIED] * 2
        assert all("tpsl=True" in str(leg.last_event.reason) for leg in legs)
        assert not [request for request in sim.requests if request.method == "POST"]


@pytest.mark.node
@pytest.mark.timeout(60)
async def test_a_pair_is_one_entry_listed_and_deleted() -> None:
    async with trading({}, tpsl=True, **FAST) as (sim, run, strategy):
        _, ask = sim.market.best(ASSET)
        buy = strategy.limit(OrderSide.BUY, 10, ask)
        await run.until(lambda: buy.is_closed, "shares to protect")

        legs = strategy.protect(10, "0.80", "0.20")
        await run.until(lambda: all(leg.status == OrderStatus.ACCEPTED for leg in legs), "the pair to be live")
        posts = [request.path for request in sim.requests if request.method == "POST"]
        assert posts.count("/orders/tpsl") == 1
        assert len({leg.venue_order_id.value[:-3] for leg in legs}) == 1

        strategy.cancel_order(legs[0])
        await run.until(lambda: all(leg.is_closed for leg in legs), "both to be cancelled")
        assert [leg.status for leg in legs] == [OrderStatus.CANCELED] * 2


# -- fired -------------------------------------------------------------------------------------------------------------

#: Fills told by trades, or derived from orders and balances.
both_ways = pytest.mark.parametrize("fields", [TRADES, None], ids=["trades", "derived"])


async def protected(sim: Any, run: Run, trader: Trader, quantity: int = 10) -> tuple[Any, Any]:
    """Buy shares and place a pair around the market; return (take-profit, stop-loss), both live."""
    _, ask = sim.market.best(ASSET)
    buy = trader.limit(OrderSide.BUY, quantity, ask + Decimal("0.04"))
    await run.until(lambda: buy.is_closed, "shares to protect")
    legs = trader.protect(quantity, "0.80", "0.20")
    await run.until(lambda: all(leg.status == OrderStatus.ACCEPTED for leg in legs), "the pair to be live")
    return legs


def entry_at(sim: Any) -> Any:
    (entry,) = sim.twin._desk._book._all.values()
    return entry


@both_ways
@pytest.mark.parametrize("fires", ["take-profit", "stop-loss"])
@pytest.mark.node
@pytest.mark.timeout(60)
async def test_the_leg_that_fires_is_filled_and_the_other_one_canceled(fires: str, fields: Any) -> None:
    """The venue sells by an order of its own, behind a lag of 0.5 s: its fills are the leg's, under its id."""
    config = {"tpsl": True, "trades_fields": fields}
    async with trading({"history_delay_secs": 0.5}, **FAST, **config) as (sim, run, trader):
        take_profit, stop_loss = await protected(sim, run, trader)
        takes = fires == "take-profit"
        fired, other = (take_profit, stop_loss) if takes else (stop_loss, take_profit)
        sim.market.set_mid(ASSET, Decimal("0.85") if takes else Decimal("0.15"))
        sim.market.trade(ASSET, sim.market.best(ASSET)[0], Decimal(1))
        await run.until(lambda: fired.is_closed and other.is_closed, "both legs to end")

        assert (fired.status, other.status) == (OrderStatus.FILLED, OrderStatus.CANCELED)
        assert fired.filled_qty == 10
        closing = sim.ledger.orders()[-1]
        assert fired.venue_order_id.value == closing.venue_order_id
        assert Decimal(str(fired.avg_px)) == closing.notional / closing.filled
        assert run.names(fired.client_order_id)[1:3] == ["OrderSubmitted", "OrderAccepted"]
        assert "OrderFilled" not in run.names(other.client_order_id)
        assert run.cache.positions_open() == []
        await books_agree(sim, run, other)


@pytest.mark.node
@pytest.mark.timeout(60)
async def test_a_stop_that_sells_only_in_part_ends_canceled_with_what_it_sold() -> None:
    async with trading({}, tpsl=True, trades_fields=TRADES, **FAST) as (sim, run, trader):
        best, *_ = sim.market.book(ASSET)[0]
        legs = await protected(sim, run, trader, int(best[1]) + 100)
        sim.twin.options.max_slippage = Decimal(0)  # nothing but the best price
        sim.twin.fire_tpsl(entry_at(sim))
        await run.until(lambda: all(leg.is_closed for leg in legs), "both legs to end")

        closing = sim.ledger.orders()[-1]
        assert 0 < closing.filled < closing.quantity
        sold = [leg for leg in legs if leg.filled_qty > 0]
        assert [leg.filled_qty.as_decimal() for leg in sold] == [closing.filled]
        assert all(leg.status == OrderStatus.CANCELED for leg in legs)
        await books_agree(sim, run, *legs)


@both_ways
@pytest.mark.node
@pytest.mark.timeout(90)
async def test_a_leg_that_fired_is_not_counted_again_after_a_restart(fields: Any, tmp_path: Path) -> None:
    config = {"tpsl": True, "trades_fields": fields, "journal": str(tmp_path / "journal.db"), **FAST}
    async with simulate("outpoll", seed=5, market_flow=False, amount_decimals=8) as sim:
        first = Trader()
        async with node_at(sim, first, **config) as run:
            take_profit, stop_loss = await protected(sim, run, first)
            sim.market.set_mid(ASSET, Decimal("0.85"))
            sim.twin.fire_tpsl(entry_at(sim))
            await run.until(lambda: take_profit.is_closed, "the take-profit")
        async with node_at(sim, Trader(), **config) as again:
            await books_agree(sim, again, stop_loss)
            assert len(again.cache.orders()) == 3
            assert again.cache.positions_open() == []


@both_ways
@pytest.mark.node
@pytest.mark.timeout(90)
async def test_a_leg_that_fires_while_nobody_listens_is_told_after_the_restart(fields: Any, tmp_path: Path) -> None:
    config = {"tpsl": True, "trades_fields": fields, "journal": str(tmp_path / "journal.db"), **FAST}
    async with simulate("outpoll", seed=5, market_flow=False, amount_decimals=8) as sim:
        first = Trader()
        async with node_at(sim, first, **config) as run:
            legs = await protected(sim, run, first)
        sim.market.set_mid(ASSET, Decimal("0.15"))
        sim.twin.fire_tpsl(entry_at(sim))
        async with node_at(sim, Trader(), **config) as again:
            take_profit, stop_loss = (again.cache.order(leg.client_order_id) for leg in legs)
            await again.until(lambda: take_profit.is_closed and stop_loss.is_closed, "both legs to end")
            assert (take_profit.status, stop_loss.status) == (OrderStatus.CANCELED, OrderStatus.FILLED)
            await books_agree(sim, again, take_profit)


# -- placing -----------------------------------------------------------------------------------------------------------


@pytest.mark.node
@pytest.mark.timeout(60)
async def test_a_pair_whose_answer_is_lost_is_found_by_its_terms_and_never_sent_again() -> None:
    async with trading({}, tpsl=True, **FAST) as (sim, run, trader):
        buy = trader.limit(OrderSide.BUY, 10, sim.market.best(ASSET)[1])
        await run.until(lambda: buy.is_closed, "shares to protect")
        sim.faults.once(Fault.ERROR_AFTER_EFFECT, where="POST /orders/tpsl")
        legs = trader.protect(10, "0.80", "0.20")
        await run.until(lambda: all(leg.status == OrderStatus.ACCEPTED for leg in legs), "the pair to be found")

        assert {leg.venue_order_id.value[:-3] for leg in legs} == {entry_at(sim).tpsl_id}
        assert [request.path for request in sim.requests if request.method == "POST"].count("/orders/tpsl") == 1


@pytest.mark.node
@pytest.mark.timeout(60)
async def test_a_refused_pair_is_rejected_with_the_venues_words() -> None:
    async with trading({}, tpsl=True, **FAST) as (_, run, trader):
        legs = trader.protect(10, "0.80", "0.20")  # there are no shares
        await run.until(lambda: all(leg.is_closed for leg in legs), "the rejections")

        assert [leg.status for leg in legs] == [OrderStatus.REJECTED] * 2
        assert all("Insufficient position" in leg.last_event.reason for leg in legs)


@pytest.mark.node
@pytest.mark.timeout(60)
async def test_a_sale_elsewhere_is_told_although_a_pair_is_active() -> None:
    async with trading({}, tpsl=True, trades_fields=TRADES, **FAST) as (sim, run, trader):
        buy = trader.limit(OrderSide.BUY, 30, sim.market.best(ASSET)[1])
        await run.until(lambda: buy.is_closed, "shares")
        legs = trader.protect(10, "0.80", "0.20")
        await run.until(lambda: all(leg.status == OrderStatus.ACCEPTED for leg in legs), "the pair to be live")
        sim.twin.place_external(ASSET, side=Side.SELL, size=5, price=sim.market.best(ASSET)[0])
        await run.until(lambda: len(run.cache.orders()) == 4, "the sale")

        assert all(leg.status == OrderStatus.ACCEPTED for leg in legs)
        assert sum(position.signed_decimal_qty() for position in run.cache.positions_open()) == 25
