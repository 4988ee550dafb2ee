"""Whatever the venue sends: the feed lives, the frame is counted and kept, the log says what came and what was due."""

import json
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest
from nautilus_trader.config import StrategyConfig
from nautilus_trader.model.currencies import BTC
from nautilus_trader.model.enums import OrderSide, OrderStatus
from nautilus_trader.model.identifiers import InstrumentId
from nautilus_trader.trading.strategy import Strategy

from nautilus_orderfeeds.feed.errors import FrameError
from nautilus_orderfeeds.sim import Side, simulate
from nautilus_orderfeeds.venues.roxom import RoxomLiveExecClientFactory
from tests.support.nodes import node_config, running_node
from tests.support.roxom_client import decoder, event

GOLD = "GOLD-BTC"
IID = InstrumentId.from_str(f"{GOLD}.ROXOM")


def without(field: str) -> bytes:
    frame = json.loads(event())
    del frame["data"][field]
    return json.dumps(frame).encode()


def enveloped(**changed: Any) -> bytes:
    return json.dumps(json.loads(event()) | changed).encode()


BAD = {
    "malformed JSON": b'{"type":"order","data":{',
    "empty": b"",
    "not JSON": b"pong",
    "a comment in it": b'{"type":"order", // comment\n"data":{}}',
    "not UTF-8": b'{"type":"order","data":"\xff\xfe"}',
    "an array": b"[1,2,3]",
    "deep nesting": b"[" * 100_000,
    "no type": b'{"data":{}}',
    "unknown type": enveloped(type="rumour"),
    "market data": b'{"topic":"level1.GOLD-BTC","type":"snapshot","createdTime":1,"data":{}}',
    "an error": b'{"event":"error","code":"60014","msg":"Invalid channel"}',
    "unknown status": event("hibernating"),
    "unknown side": event(side="sideways"),
    "unknown order type": event(orderType="iceberg"),
    "missing id": without("orderId"),
    "missing status": without("status"),
    "missing symbol": without("symbol"),
    "missing executed quantity": without("executedQty"),
    "wrong type of quantity": event(executedQty={"value": 1}),
    "wrong type of data": enveloped(data="nothing"),
    "an array of orders": enveloped(data=[]),
    "a position that is no array": b'{"type":"position","data":{}}',
    "a balance that is an array": b'{"type":"balance","data":[]}',
    "number beyond sense": event(executedQty="1e400"),
    "number below sense": event(executedQty="1e-400"),
    "not a number": event(executedQty="NaN"),
    "infinite": event(avgPx="Infinity"),
    "text for a number": event(avgPx="fifty"),
    "negative quantity": event(executedQty="-1.00"),
    "negative rest": event(remainingQty="-1.00"),
    "negative price": event(avgPx="-0.05"),
    "negative time": event(timestamp=-1),
    "time beyond sense": event(timestamp=2**63),
    "non-ASCII id": event(orderId="заказ-1"),
    "control characters in the id": event(orderId="a\x00b"),
    "an endless id": event(orderId="x" * 5_000),
    "non-ASCII symbol": event(symbol="ÖL-BTC"),
    "huge": b'{"type":"order","data":"' + b"x" * 10_000_000 + b'"}',
}


@pytest.mark.parametrize("raw", BAD.values(), ids=BAD)
def test_it_is_refused_and_says_what_was_expected(raw: bytes) -> None:
    with pytest.raises(FrameError, match="expected") as caught:
        decoder().decode(raw)
    assert str(caught.value).startswith("ROXOM")
    assert len(str(caught.value)) < 1_000


HARMLESS = {
    "extra keys": event(mood="good"),
    "an acknowledgement": b'{"event":"subscribe","arg":{"channel":"orders"},"code":"0"}',
    "an unknown control frame": b'{"event":"weather"}',
    "nulls": event(fillPx=None, filledFees=None, side=None, clientOrderId=None, reason=None, entryPositionId=None),
    "an account event": b'{"type":"account","data":{"anything":[1,2.5]}}',
}


@pytest.mark.parametrize("raw", HARMLESS.values(), ids=HARMLESS)
def test_what_is_unknown_but_harmless_is_no_fault(raw: bytes) -> None:
    decoder().decode(raw)


@pytest.fixture
async def running() -> AsyncIterator[Any]:
    async with simulate("roxom", seed=5, market_flow=False) as sim:
        strategy = Strategy(StrategyConfig())
        async with running_node(
            node_config({"ROXOM": sim.exec_config(requests_per_sec=500)}, inflight_check_interval_ms=0),
            exec_factories={"ROXOM": RoxomLiveExecClientFactory},
            strategies=(strategy,),
        ) as run:
            yield sim, run, strategy


@pytest.mark.node
@pytest.mark.timeout(60)
async def test_the_feed_lives_and_every_frame_is_kept(running: Any) -> None:
    sim, run, strategy = running
    client = run.exec_client("ROXOM")
    for raw in BAD.values():
        client.handle_frame(raw)
    assert client.malformed_frames == len(BAD)
    client._journal.flush()
    kept = client._journal._db.execute("SELECT raw, fault FROM frames WHERE fault IS NOT NULL").fetchall()
    assert [row[0] for row in kept] == list(BAD.values())
    assert all("expected" in row[1] for row in kept)
    instrument = run.cache.instrument(IID)
    _, ask = sim.market.best(GOLD)
    order = strategy.order_factory.limit(
        IID, OrderSide.BUY, instrument.make_qty(Decimal("0.05")), instrument.make_price(ask)
    )
    strategy.submit_order(order)
    await run.until(lambda: order.status == OrderStatus.FILLED, "an order that fills after all that")
    assert len(run.cache.orders()) == 1


@pytest.mark.node
@pytest.mark.timeout(60)
async def test_account_events_reach_strategies_and_the_balances_are_read_again(running: Any) -> None:
    sim, run, _ = running
    told: list[Any] = []
    run.node.kernel.msgbus.subscribe("data.VenueEvent*", told.append)
    client = run.exec_client("ROXOM")
    account = run.cache.account_for_venue(IID.venue)

    def balance() -> Decimal:
        return account.balance_total(BTC).as_decimal()

    before = balance()
    sim.twin.deposit("0.5")
    sim.twin.tell_account()
    await run.until(lambda: {event.kind for event in told} == {"BALANCE", "ACCOUNT"}, "the events")
    await run.until(lambda: balance() == before + Decimal("0.5"), "the balance", 10.0)
    assert balance() == sim.ledger.balance("BTC")
    sim.place_external(GOLD, side=Side.BUY, size=Decimal("0.05"), price=sim.market.best(GOLD)[1])
    await run.until(lambda: "POSITION" in {event.kind for event in told}, "the position")
    await run.until(lambda: client._synchronizer.positions is not None, "a reading of the positions")
