"""Every sample means what its page says; what is no wire message is refused."""

import asyncio
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from nautilus_orderfeeds.feed.errors import FrameError
from nautilus_orderfeeds.feed.market import Channel, Quote
from nautilus_orderfeeds.orders.requests import Accepted, Amend, OrderRef, Refused
from nautilus_orderfeeds.orders.updates import OrderUpdate, Source, VenueStatus
from nautilus_orderfeeds.orders.words import ContingencyType, OrderSide, OrderType, TimeInForce
from nautilus_orderfeeds.venues.acttrader import wire
from nautilus_orderfeeds.venues.acttrader.market import ActTraderMarketFeed
from nautilus_orderfeeds.venues.acttrader.settings import TickerSettings
from nautilus_orderfeeds.venues.base import Readback
from tests.support.acttrader_client import SAMPLES, Line, exact, line, new_order, spec

FILES = sorted(path for path in SAMPLES.glob("*/*") if path.suffix in (".json", ".txt"))
D = Decimal
EXPIRY_NS = 1_647_674_520_000_000_000  # 2022-03-19T07:22:00Z


def read(name: str) -> bytes:
    return (SAMPLES / name).read_bytes()


def heard(name: str, dialect: str = "final") -> tuple[OrderUpdate, list[Any]]:
    """The update of an unsolicited sample, and what is said besides."""
    update, *others = line(dialect).hear(read(name))
    return update, others


def as_answer(name: str, request_id: str) -> bytes:
    message = json.loads(read(name))
    if "requestId" in message:
        message["requestId"] = request_id
    return json.dumps(message).encode()


async def asked(conversation: Line, coroutine: Any, name: str, count: int = 1) -> tuple[Any, list[Any]]:
    """The result of a request that is answered with a sample, and what the answer says for everybody."""
    task = asyncio.ensure_future(coroutine)
    request = await conversation.asked(count)
    said = conversation.hear(as_answer(name, request["requestId"]))
    return await task, said


@pytest.mark.parametrize(
    "path", [p for p in FILES if p.suffix == ".txt" and p.name.startswith("ws-")], ids=lambda p: p.name
)
def test_verbatim_text_that_is_no_json_is_refused(path: Path):
    with pytest.raises(json.JSONDecodeError):
        json.loads(path.read_bytes())
    for dialect in ("draft", "final"):
        with pytest.raises(FrameError, match=r"received .* expected"):
            line(dialect).hear(path.read_bytes())


@pytest.mark.parametrize("name", [p.name for p in FILES if "companion-ws-server-v3" in p.name])
def test_frames_of_the_third_protocol_are_refused(name: str):
    with pytest.raises(FrameError):
        line("final").hear(read(f"docs/{name}"))


# -- what we send is what the page shows ------------------------------------------------------------------------------


def payload(name: str) -> Any:
    return exact(read(name))["payload"]


def test_draft_single_order_has_the_fields_of_the_page():
    shown = payload("seed/ws-client-newordersingle.json")
    order = new_order("string", time_in_force=TimeInForce.GTD, expire_time_ns=EXPIRY_NS * 2)
    sent = exact(wire.encode(wire.Event.NEW_ORDER, "ID", line("draft").venue.prepare(order).wire))
    assert sent["event"] == "newordersingle"
    assert sent["requestId"] == "ID"
    ours = sent["payload"]
    assert set(shown) - set(ours) == {"stopPrice"}  # the sample is a list of fields: a LIMIT order has none
    assert set(ours) <= set(shown)
    assert {k: ours[k] for k in ours if k != "timeInForceDate"} == {
        k: v for k, v in shown.items() if k not in ("timeInForceDate", "stopPrice")
    }
    assert ours["timeInForceDate"] == "2074-06-04T14:44:00.000Z"


def test_final_single_order_has_the_fields_of_the_page():
    shown = payload("docs/ws-client-newordersingle.json")
    order = new_order(
        "my first order",
        time_in_force=TimeInForce.GTD,
        expire_time_ns=EXPIRY_NS * 2,
        params={"aon": True, "note": "tp"},
    )
    ours = exact(wire.encode(wire.Event.NEW_ORDER, "ID", line("final").venue.prepare(order).wire))["payload"]
    assert {**ours, "tillTime": 0} == {**{k: v for k, v in shown.items() if k != "stopPrice"}, "tillTime": 0}


@pytest.mark.parametrize(("dialect", "folder"), [("draft", "seed"), ("final", "docs")])
async def test_oco_pair_is_the_one_of_the_page(dialect: str, folder: str):
    shown = payload(f"{folder}/ws-client-neworderoco.json")
    ids = [leg["clientOrderId"] for leg in shown["orders"]]
    notes = {"params": {"aon": True}}
    common = {"contingency_type": ContingencyType.OCO, "time_in_force": TimeInForce.GTD, **notes}
    first = new_order(ids[0], linked_order_ids=(ids[1],), expire_time_ns=EXPIRY_NS * 2, **common)
    second = new_order(
        ids[1], type=OrderType.STOP_LIMIT, linked_order_ids=(ids[0],), expire_time_ns=EXPIRY_NS * 2, **common
    )
    talk = line(dialect)
    talk.venue.check_list([first, second])
    task = asyncio.ensure_future(talk.venue.submit_list([talk.venue.prepare(first), talk.venue.prepare(second)]))
    sent = await talk.asked()
    said = talk.hear(as_answer(f"{folder}/ws-server-neworderoco.json", sent["requestId"]))
    ours = sent["payload"]
    expiry = "lifeTime" if dialect == "draft" else "tillTime"
    for leg in shown["orders"]:
        leg.pop("note", None)
    assert {**ours, expiry: 0} == {**shown, expiry: 0}
    wanted = ["12321320", "12321321"] if dialect == "draft" else ["1000001", "1000002"]
    assert [outcome for outcome, _ in await task] == [Accepted(venue_order_id) for venue_order_id in wanted]
    # The draft's page shows the first leg's id on both rows; each row is of its own leg all the same.
    told = [(update.venue_order_id, update.client_order_id) for update in said]
    assert told == list(zip(wanted, ids, strict=True))


async def test_modify_cancel_status_requests_are_the_pages():
    ref = OrderRef(client_order_id="my order", symbol="EURUSD", venue_order_id="123123")
    talk = line("draft")
    change = Amend(ref=ref, price=D("1.2345"), trigger_price=D("1.2345"), quantity=D(10000))
    result, _ = await asked(talk, talk.venue.amend(change), "seed/ws-server-modifyordersingle.json")
    assert talk.sent[-1]["payload"] == payload("seed/ws-client-modifyordersingle.json")
    assert result[0] == Accepted("123123")
    result, said = await asked(talk, talk.venue.cancel(ref), "seed/ws-server-ordercancel.json", 2)
    assert talk.sent[-1]["payload"] == payload("seed/ws-client-ordercancel.json")
    assert result == (Accepted("123123"), [])
    assert said == []
    task = asyncio.ensure_future(talk.venue.look_up([ref], 0))
    await talk.asked(3)
    assert talk.sent[-1]["event"] == "orderstatus"
    assert talk.sent[-1]["payload"] == payload("seed/ws-client-orderstatus.json")
    task.cancel()


async def test_orders_requests_are_the_pages():
    for dialect in ("draft", "final"):
        talk = line(dialect)
        task = asyncio.ensure_future(talk.venue.resync([], 0))
        sent = await talk.asked()
        assert sent["event"] == "orders"
        assert ("payload" in sent) == (dialect == "final")
        if dialect == "final":
            assert list(sent["payload"]) == ["fromTime"]
            assert sent["payload"]["fromTime"].endswith("Z")
        task.cancel()


# -- what we understand is what the page says -------------------------------------------------------------------------


def test_draft_execution():
    update, others = heard("seed/ws-server-execution.json", "draft")
    assert update.venue_order_id == "28"
    assert update.status is VenueStatus.FILLED
    assert (update.symbol, update.side, update.type) == ("BTCUSDT", OrderSide.SELL, OrderType.MARKET)
    assert update.filled_qty == update.quantity == 10
    assert update.price is None  # of a market order it is no limit price
    assert update.fills == ()
    assert update.avg_px is None
    assert update.ts_event == 1_507_725_176_595_000_000
    assert others == [Readback("28", "an execution does not list its fills")]


def test_final_execution_filled():
    update, others = heard("docs/ws-server-execution-filled.json")
    assert update.status is VenueStatus.FILLED
    assert update.filled_qty == 10000
    assert [(f.trade_id, f.last_qty, f.last_px, f.ends_at) for f in update.fills] == [
        ("1000001-5000", 5000, D("1.2345"), 5000),
        ("1000001-10000", 5000, D("1.2344"), 10000),
    ]
    assert others == []


@pytest.mark.parametrize("name", ["canceled-lifetime", "rejected-lifetime-interim"])
def test_expiry_in_both_its_spellings(name: str):
    update, others = heard(f"docs/ws-server-execution-{name}.json")
    assert update.status is VenueStatus.EXPIRED
    assert update.filled_qty == 0
    assert update.reason == "lifetime expired"
    assert update.time_in_force is TimeInForce.GTD
    assert update.expire_time_ns == 1_650_738_343_511_000_000
    assert others == []


async def test_draft_list_without_request_id():
    ref = OrderRef(client_order_id="x", symbol="BTCUSDT", venue_order_id="29")
    talk = line("draft")
    task = asyncio.ensure_future(talk.venue.resync([ref], 0))
    await talk.asked()
    talk.hear(read("seed/ws-server-orders.json"))
    # CANCELED with everything executed cannot be believed of a row: `orderstatus` is asked.
    sent = await talk.asked(2)
    assert sent["event"] == "orderstatus"
    assert sent["payload"] == {"orderId": 29}
    talk.refuse("error message")
    truth = await task
    (update,) = truth.updates
    assert update.source is Source.SNAPSHOT
    assert update.status is VenueStatus.CANCELED
    assert update.filled_qty is None


async def test_final_list_of_rows_with_placeholders():
    """NEW rows whose executedQty is the whole quantity: the status wins, and the order is asked for."""
    refs = [OrderRef(client_order_id=str(n), symbol="EURUSD", venue_order_id=str(1000000 + n)) for n in (1, 2, 3)]
    talk = line("final")
    task = asyncio.ensure_future(talk.venue.resync(refs, 0))
    sent = await talk.asked()
    talk.hear(as_answer("docs/ws-server-orders.json", sent["requestId"]))
    await talk.asked(4)
    for number in (1, 2, 3):
        talk.refuse("busy", number=number)
    updates = sorted((await task).updates, key=lambda u: u.venue_order_id)
    assert [u.type for u in updates] == [OrderType.LIMIT, OrderType.STOP_MARKET, OrderType.STOP_LIMIT]
    assert [u.price for u in updates] == [D("1.2345"), None, D("1.0345")]
    assert [u.trigger_price for u in updates] == [None, D("1.2345"), D("1.2345")]
    assert {u.status for u in updates} == {VenueStatus.WORKING}
    assert {u.filled_qty for u in updates} == {None}


@pytest.mark.parametrize(
    ("dialect", "name", "wanted"),
    [
        ("draft", "seed/ws-server-orderstatus.json", [("28-5", 5, 4000), ("28-10", 5, 3999)]),
        (
            "final",
            "docs/ws-server-orderstatus.json",
            [("1000001-5000", 5000, D("1.2345")), ("1000001-10000", 5000, D("1.2344"))],
        ),
    ],
)
async def test_order_status_brings_the_fills(dialect: str, name: str, wanted: list[Any]):
    talk = line(dialect)
    ref = OrderRef(client_order_id="x", symbol="EURUSD", venue_order_id=wanted[0][0].split("-")[0])
    truth, said = await asked(talk, talk.venue.look_up([ref], 0), name)
    (update,) = truth.updates
    assert [(f.trade_id, f.last_qty, f.last_px) for f in update.fills] == wanted
    assert update.status is VenueStatus.FILLED
    assert said == []


async def test_acknowledgements():
    for dialect, name, venue_order_id in (
        ("draft", "seed/ws-server-newordersingle.json", "12321321"),
        ("final", "docs/ws-server-newordersingle.json", "1000001"),
    ):
        talk = line(dialect, aon_for_gtc=True)
        result, said = await asked(talk, talk.venue.submit(talk.venue.prepare(new_order())), name)
        assert result == (Accepted(venue_order_id), [])
        (update,) = said
        assert update.venue_order_id == venue_order_id
        assert update.client_order_id == "O-1"
        assert update.status is VenueStatus.WORKING


async def test_final_modify_answer_echoes_the_terms():
    talk = line("final")
    ref = OrderRef(client_order_id="my order", symbol="EURUSD", venue_order_id="1000001")
    result, said = await asked(
        talk, talk.venue.amend(Amend(ref=ref, price=D("1.2345"))), "docs/ws-server-modifyordersingle.json"
    )
    assert result == (Accepted("1000001"), [])
    (update,) = said
    assert (update.price, update.trigger_price, update.quantity) == (D("1.2345"), D("1.2345"), 10000)
    assert update.status is VenueStatus.WORKING


async def test_final_cancel_answer_is_the_end():
    talk = line("final")
    ref = OrderRef(client_order_id="my order", symbol="EURUSD", venue_order_id="1000001")
    result, said = await asked(talk, talk.venue.cancel(ref), "docs/ws-server-ordercancel.json")
    assert result == (Accepted("1000001"), [])
    update, readback = said
    assert (update.status, update.reason) == (VenueStatus.CANCELED, "USER")
    assert update.filled_qty is None
    assert readback == Readback("1000001", "what was filled before the cancel")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("seed/ws-server-error.json", "error message"),
        ("docs/ws-server-error.json", "error message"),
        ("docs/ws-server-error-order-not-exists.json", "ORDER_NOT_EXISTS"),
        ("docs/ws-server-error-order-already-closed.json", "ORDER_ALREADY_CLOSED"),
        ("docs/ws-server-error-order-not-exists-interim.json", "ORDER_NOT_EXISTS"),
        ("docs/ws-server-error-order-already-closed-interim.json", "ORDER_ALREADY_CLOSED"),
    ],
)
async def test_errors_refuse_the_request_they_name(name: str, text: str):
    talk = line("final")
    ref = OrderRef(client_order_id="my order", symbol="EURUSD", venue_order_id="1000001")
    result, said = await asked(talk, talk.venue.cancel(ref), name)
    assert result == (Refused(text), [])
    assert said == []


async def test_the_withdrawn_message_is_unknown():
    with pytest.raises(FrameError, match="an event of the order protocol"):
        line("final").hear(read("docs/ws-server-executeordersingle-withdrawn.json"))


# -- the companion stream ---------------------------------------------------------------------------------------------


def feed() -> ActTraderMarketFeed:
    made = ActTraderMarketFeed(TickerSettings(base_url_ws="ws://127.0.0.1:1/"))
    made.use_instruments([spec(), spec("GBPUSD"), spec("USDJPY"), spec("BTC-USD")])
    return made


@pytest.mark.parametrize("shape", ["order-stream", "charts-stream"])
def test_ticks_in_both_shapes(shape: str):
    (quote,) = feed().decode(read(f"docs/companion-ws-server-ticker-{shape}.json"))
    assert quote == Quote(symbol="EURUSD", bid=D("1.16295"), ask=D("1.16302"), ts_event=1_760_527_534_092_000_000)


def test_tick_time_with_nine_decimals():
    tick = json.loads(read("docs/companion-ws-server-tick-nanoseconds.json"))
    (quote,) = feed().decode(json.dumps({"m": "ticker", "d": [tick]}).encode())
    assert (quote.symbol, quote.bid, quote.ask) == ("BTC-USD", D("29218.401"), D("29297.187"))
    assert quote.ts_event == 1_682_687_345_311_877_774


def test_heartbeat_is_no_fault():
    raw = read("docs/companion-ws-server-heartbeat.txt")
    assert feed().decode(raw) == []
    assert line("draft").hear(raw) == []


@pytest.mark.parametrize("verb", ["subscribe", "unsubscribe"])
def test_subscriptions_are_the_samples(verb: str):
    shown = json.loads(read(f"docs/companion-ws-client-{verb}.json"))
    made = feed()
    sent = []
    for symbol in shown["p"]:
        frames = made.subscribe(Channel.QUOTES, symbol)
        sent += frames if verb == "subscribe" else made.unsubscribe(Channel.QUOTES, symbol)
    assert [json.loads(frame) for frame in sent] == [{"m": verb, "p": [symbol]} for symbol in shown["p"]]
