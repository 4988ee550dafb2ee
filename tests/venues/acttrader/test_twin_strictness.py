"""What the simulated ActTrader refuses, in each dialect, with the requestId (protocol 3, 4, 5, 11.6.1)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from nautilus_orderfeeds.sim import OrderState
from nautilus_orderfeeds.venues.acttrader.twin_options import Refusal
from tests.support.acttrader_raw import acttrader, dump

FUTURE = "2099-01-01T00:00:00.000Z"
GONE = object()
"""Leave the field out."""


def changed(payload: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in {**payload, **change}.items() if value is not GONE}


BOTH: list[tuple[dict[str, Any], str]] = [
    ({"symbol": GONE}, "symbol is mandatory"),
    ({"symbol": "NOTHING"}, "unknown symbol NOTHING"),
    ({"symbol": 5}, "symbol must be a string"),
    ({"side": GONE}, "side is mandatory"),
    ({"side": "buy"}, "side buy is not supported"),
    ({"type": GONE}, "type is mandatory"),
    ({"type": "TRAILING"}, "type TRAILING is not supported"),
    ({"price": GONE}, "price is mandatory for LIMIT"),
    ({"price": "1.1"}, "price must be a number"),
    ({"price": None}, "price must be a number"),
    ({"price": True}, "price must be a number"),
    ({"price": -1}, "price must be positive"),
    ({"price": 0}, "price must be positive"),
    ({"stopPrice": 1}, "stopPrice is not supported for LIMIT"),
    ({"type": "MARKET"}, "price is not supported for MARKET"),
    ({"type": "STOP", "price": GONE}, "stopPrice is mandatory for STOP"),
    ({"type": "STOP", "stopPrice": 1}, "price is not supported for STOP"),
    ({"type": "STOP_LIMIT"}, "stopPrice is mandatory for STOP_LIMIT"),
    ({"type": "STOP_LIMIT", "stopPrice": "1"}, "stopPrice must be a number"),
    ({"quantity": GONE}, "quantity is mandatory"),
    ({"quantity": "10000"}, "quantity must be a number"),
    ({"timeInForce": GONE}, "timeInForce is mandatory"),
    ({"timeInForce": "DAY"}, "timeInForce DAY is not supported"),
    ({"timeInForce": "TPI"}, "TPI"),
    ({"clientOrderId": 7}, "clientOrderId must be a string"),
    ({"login": GONE}, "login is mandatory"),
    ({"oco": True}, "unknown field oco"),
    ({"lifeTime": FUTURE}, "unknown field lifeTime"),
]
DRAFT: list[tuple[dict[str, Any], str]] = [
    ({"timeInForce": "IOC"}, "timeInForce IOC is not supported"),
    ({"timeInForce": "FOK"}, "timeInForce FOK is not supported"),
    ({"timeInForce": "GTT"}, "timeInForceDate is mandatory for GTT"),
    ({"timeInForce": "GTT", "timeInForceDate": ""}, "timeInForceDate must be like"),
    ({"timeInForceDate": FUTURE}, "timeInForceDate is not supported for GTC"),
    ({"timeInForce": "GTT", "timeInForceDate": "2000-01-01T00:00:00.000Z"}, "lifetime is over"),
    ({"tillTime": FUTURE}, "unknown field tillTime"),
    ({"note": "tp"}, "unknown field note"),
    ({"login": 123456}, "login must be a string"),
    ({"login": "nobody"}, "unknown login nobody"),
]
FINAL: list[tuple[dict[str, Any], str]] = [
    ({"timeInForce": "GTC"}, "timeInForce GTC is not supported"),
    ({"timeInForce": "GTT"}, "timeInForce GTT is not supported"),
    ({"timeInForceDate": FUTURE}, "unknown field timeInForceDate"),
    ({"tillTime": ""}, "tillTime must be like"),
    ({"tillTime": 1507725176595}, "tillTime must be a string"),
    ({"tillTime": "2099-01-01T00:00:00Z"}, "tillTime must be like"),
    ({"tillTime": "2099-01-01T00:00:00.000000Z"}, "tillTime must be like"),
    ({"tillTime": "2099-01-01T00:00:00.000+00:00"}, "tillTime must be like"),
    ({"tillTime": "2099-13-01T00:00:00.000Z"}, "tillTime is no time"),
    ({"tillTime": "2000-01-01T00:00:00.000Z"}, "lifetime is over"),
    ({"note": 1}, "note must be a string"),
    ({"login": "123456"}, "login must be a positive integer"),
    ({"login": 99}, "unknown login 99"),
]


@pytest.mark.parametrize("dialect", ["draft", "final"])
async def test_new_orders_are_read_strictly(dialect: str) -> None:
    async with acttrader(dialect) as raw:
        socket = await raw.connect()
        for change, text in BOTH + (DRAFT if dialect == "draft" else FINAL):
            payload = changed(socket.order("LIMIT", "BUY", 10000, 1), change)
            error = await socket.refused("newordersingle", payload)
            assert text in error["error"], (change, error)
            assert isinstance(error["code"], int)
            assert error.get("event") == (None if dialect == "draft" else "newordersingle")
        assert raw.sim.ledger.orders() == []


@pytest.mark.parametrize("dialect", ["draft", "final"])
async def test_oco_pairs_are_read_strictly(dialect: str) -> None:
    limit, stop = {"type": "LIMIT", "price": 2}, {"type": "STOP", "stopPrice": 1}
    till = "lifeTime" if dialect == "draft" else "tillTime"
    async with acttrader(dialect) as raw:
        socket = await raw.connect()
        good = socket.oco("SELL", 10000, limit, stop)
        for change, text in (
            ({"orders": GONE}, "orders is mandatory"),
            ({"orders": [limit]}, "list of two"),
            ({"orders": [limit, stop, stop]}, "list of two"),
            ({"orders": limit}, "list of two"),
            ({"orders": [limit, "stop"]}, "orders must be an object"),
            ({"orders": [limit, {"type": "MARKET"}]}, "type MARKET is not supported"),
            ({"orders": [limit, {"type": "STOP"}]}, "stopPrice is mandatory for STOP"),
            ({"orders": [limit, {**stop, "quantity": 5}]}, "unknown field quantity"),
            ({"orders": [limit, {**stop, "side": "BUY"}]}, "unknown field side"),
            ({"timeInForce": "GTT"}, "timeInForce GTT is not supported"),
            ({"timeInForce": "IOC"}, "timeInForce IOC is not supported"),
            ({"quantity": GONE}, "quantity is mandatory"),
            ({"side": GONE}, "side is mandatory"),
            ({"login": GONE}, "login is mandatory"),
            ({"timeInForceDate": FUTURE}, "unknown field timeInForceDate"),
            ({"tillTime" if dialect == "draft" else "lifeTime": FUTURE}, "unknown field"),
            ({till: "2000-01-01T00:00:00.000Z"}, "lifetime is over"),
            ({"orders": [limit, {"type": "STOP", "stopPrice": Decimal("1.000001")}]}, "not a multiple"),
        ):
            assert text in (await socket.refused("neworderoco", changed(good, change)))["error"], change
        assert raw.sim.ledger.orders() == []
        assert len(await socket.call("neworderoco", {**good, till: FUTURE})) == 2


@pytest.mark.parametrize("dialect", ["draft", "final"])
async def test_requests_about_orders_are_read_strictly(dialect: str) -> None:
    async with acttrader(dialect) as raw:
        socket = await raw.connect()
        limit = await socket.place("LIMIT", "BUY", 10000, 1, clientOrderId="l")
        stop = await socket.place_quietly("STOP", "BUY", 10000, stop=2)
        cases: list[tuple[str, Any, str]] = [
            ("modifyordersingle", {"price": 1}, "orderId is mandatory"),
            ("modifyordersingle", {"orderId": str(limit), "price": 1}, "orderId must be a positive integer"),
            ("modifyordersingle", {"orderId": limit}, "nothing to modify"),
            ("modifyordersingle", {"orderId": limit, "side": "SELL"}, "unknown field side"),
            ("modifyordersingle", {"orderId": limit, "price": "1"}, "price must be a number"),
            ("modifyordersingle", {"orderId": limit, "stopPrice": 1}, "stopPrice is not supported for LIMIT"),
            ("modifyordersingle", {"orderId": stop, "price": 1}, "price is not supported for STOP"),
            ("modifyordersingle", {"orderId": limit, "price": Decimal("1.000001")}, "not a multiple"),
            ("modifyordersingle", {"orderId": limit, "quantity": 1}, "not at least 1000"),
            ("ordercancel", {}, "orderId is mandatory"),
            ("ordercancel", {"orderId": None}, "orderId must be a positive integer"),
            ("ordercancel", {"orderId": 2**63}, "orderId must be a positive integer"),
            ("ordercancel", {"orderId": limit, "symbol": "EURUSD"}, "unknown field symbol"),
            ("orderstatus", {}, "orderId is mandatory"),
            ("orderstatus", [limit], "payload must be an object"),
            ("executeordersingle", {"orderId": limit}, "unknown event executeordersingle"),
        ]
        if dialect == "draft":
            cases += [
                ("orders", {}, "orders has no payload"),
                ("ordercancel", {"clientOrderId": "l"}, "unknown field clientOrderId"),
                ("orderstatus", {"clientOrderId": "l"}, "unknown field clientOrderId"),
                ("modifyordersingle", {"orderId": limit, "tillTime": FUTURE}, "unknown field tillTime"),
            ]
        else:
            cases += [
                ("orders", {"fromTime": 5}, "fromTime must be a string"),
                ("orders", {"fromTime": ""}, "fromTime must be like"),
                ("orders", {"from": FUTURE}, "unknown field from"),
                ("ordercancel", {"clientOrderId": ""}, "orderId is mandatory"),
                ("ordercancel", {"orderId": stop, "clientOrderId": "l"}, "are not one order"),
                ("modifyordersingle", {"orderId": limit, "tillTime": "tomorrow"}, "tillTime must be like"),
                ("modifyordersingle", {"orderId": limit, "status": "NEW"}, "unknown field status"),
            ]
        for event, payload, text in cases:
            assert text in (await socket.refused(event, payload))["error"], (event, payload)
        assert all(order.is_open for order in raw.sim.ledger.orders())


@pytest.mark.parametrize(
    ("frame", "text"),
    [
        ("{", "not a JSON document"),
        ("[]", "expected a JSON object"),
        ('"orders"', "expected a JSON object"),
        ('{"event":"orders","requestId":"a","x":1}', "unknown field x"),
        ('{"requestId":"a"}', "event is mandatory"),
        ('{"event":"orders"}', "requestId is mandatory"),
        ('{"event":"orders","requestId":5}', "requestId must be a string"),
        ('{"event":"orders","requestId":""}', "requestId is mandatory"),
        ('{"event":"orders","event":"orders","requestId":"a"}', "a key stands twice"),
        ('{"event":"ordercancel","requestId":"a"}', "payload is mandatory"),
        ('{"event":"ordercancel","requestId":"a","payload":{"orderId":1e3}}', "plain form"),
        ('{"event":"ordercancel","requestId":"a","payload":{"orderId":NaN}}', "no number"),
        ('{"event":"ordercancel","requestId":"a","payload":{"orderId":1.0}}', "positive integer"),
        ('{"event":"orders","requestId":"\\ud800"}', "not a JSON document"),
        ('{"event":"orders","requestId":"a"} // comment', "not a JSON document"),
        ('{"a":' * 100_000, "not a JSON document"),
    ],
)
async def test_broken_frames_get_an_error_and_the_connection_stays(frame: str, text: str) -> None:
    async with acttrader("draft") as raw:
        socket = await raw.connect()
        await socket.send_text(frame)
        error = await socket.receive()
        assert error["event"] == "error"
        assert text in error["payload"]["error"]
        assert await socket.nothing()
        await socket.socket.send_bytes(b'{"event":"orders","requestId":"a"}')
        assert "text frame" in (await socket.receive())["payload"]["error"]


async def test_the_draft_may_refuse_gtc_and_the_final_dialect_may_want_from_time() -> None:
    async with acttrader("draft", draft_gtc=False) as raw:
        socket = await raw.connect()
        await socket.refused("newordersingle", socket.order("LIMIT", "BUY", 10000, 1))
        await socket.place("LIMIT", "BUY", 10000, 1, timeInForce="AON")
    async with acttrader("final", from_time_mandatory=True) as raw:
        socket = await raw.connect()
        assert "payload" in (await socket.refused("orders"))["error"]
        assert "fromTime" in (await socket.refused("orders", {}))["error"]
        assert await socket.call("orders", {"fromTime": FUTURE}) == []


async def test_prices_that_a_type_has_no_use_for_can_be_ignored() -> None:
    async with acttrader("final", strict_prices=False) as raw:
        socket = await raw.connect()
        order_id = await socket.place("LIMIT", "BUY", 10000, 1, stop=3)
        assert "stopPrice" not in await socket.execution()
        assert raw.sim.ledger.orders()[0].trigger is None
        await socket.call("modifyordersingle", {"orderId": order_id, "stopPrice": 3, "price": Decimal("1.1")})
        assert (await socket.execution())["price"] == Decimal("1.1")
        order = socket.order("MARKET", "BUY", 10000, price=1)
        await socket.refused("newordersingle", {**order, "price": "1"})
        await socket.call("newordersingle", order)
        assert (await socket.execution())["status"] == "FILLED"


@pytest.mark.parametrize("refusal", list(Refusal))
@pytest.mark.parametrize("dialect", ["draft", "final"])
async def test_a_well_formed_order_is_refused_in_each_way(dialect: str, refusal: Refusal) -> None:
    async with acttrader(dialect, refusal=refusal) as raw:
        socket = await raw.connect()
        raw.twin.reject_next_order("no money")
        for expected, payload in (
            ("no money", socket.order("LIMIT", "BUY", 10000, 1)),
            ("not a multiple", socket.order("LIMIT", "BUY", 10000, "1.000001")),
            ("not at least", socket.order("LIMIT", "BUY", 999, 1)),
            ("not at least", socket.order("LIMIT", "BUY", "1000.5", 1)),
        ):
            request_id = await socket.ask("newordersingle", payload)
            first = await socket.receive()
            match refusal:
                case Refusal.ERROR:
                    assert (first["event"], first["requestId"]) == ("error", request_id)
                    assert expected in first["payload"]["error"]
                case Refusal.ANSWER:
                    assert (first["event"], first["payload"]["status"]) == ("newordersingle", "REJECTED")
                case Refusal.EXECUTION:
                    assert (first["event"], first["payload"]["status"]) == ("execution", "REJECTED")
                case Refusal.NEW_THEN_EXECUTION:
                    assert (first["event"], first["payload"]["status"]) == ("newordersingle", "NEW")
                    told = await socket.execution()
                    assert (told["status"], told["orderId"]) == ("REJECTED", first["payload"]["orderId"])
                    if dialect == "final":
                        assert expected in told["reason"]
            assert await socket.nothing()
        states = [order.state for order in raw.sim.ledger.orders()]
        assert states == ([] if refusal is Refusal.ERROR else [OrderState.REJECTED] * 4)
        await socket.place("LIMIT", "BUY", 10000, 1)


async def test_a_refused_pair_is_refused_as_a_whole() -> None:
    legs: tuple[dict[str, Any], ...] = ({"type": "LIMIT", "price": 2}, {"type": "STOP", "stopPrice": 1})
    async with acttrader("final", refusal=Refusal.ANSWER) as raw:
        socket = await raw.connect()
        raw.twin.reject_next_order("no money")
        rows = await socket.call("neworderoco", socket.oco("SELL", 10000, *legs))
        assert [row["status"] for row in rows] == ["REJECTED", "REJECTED"]
        raw.twin.options.refusal = Refusal.EXECUTION
        raw.twin.reject_next_order("no money")
        await socket.ask("neworderoco", socket.oco("SELL", 10000, *legs))
        assert [(await socket.execution())["status"] for _ in range(2)] == ["REJECTED", "REJECTED"]
        assert await socket.nothing()


async def test_a_repeated_order_is_a_second_order_unless_the_venue_refuses_it() -> None:
    async with acttrader("final") as raw:
        socket = await raw.connect()
        payload = socket.order("MARKET", "BUY", 10000, clientOrderId="again")
        text = dump({"event": "newordersingle", "requestId": "same", "payload": payload})
        for _ in range(2):
            await socket.send_text(text)
            assert (await socket.receive())["requestId"] == "same"
            await socket.execution()
        assert raw.sim.ledger.position("EURUSD").net == 20000
        raw.twin.options.refuse_reused_client_order_ids = True
        assert "was used before" in (await socket.refused("newordersingle", payload))["error"]
