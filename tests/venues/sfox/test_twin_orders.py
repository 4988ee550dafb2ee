"""Order entry of the simulated sFOX over REST (protocol 7.1-7.4)."""

from __future__ import annotations

import time
from decimal import Decimal
from typing import Any

import pytest

from nautilus_orderfeeds.sim import EndReason, Fault, Side
from nautilus_orderfeeds.venues.sfox.twin_words import (
    AmendAnswer,
    AmountQuantity,
    CancelAnswer,
    CreateAnswer,
    ExcessDecimals,
    FokFailure,
    Settlement,
)
from tests.support.sfox_raw import RawSfox, sfox

# -- create -------------------------------------------------------------------------------------------------

_FIELDS = {
    *("id", "side_id", "action", "algorithm_id", "algorithm", "type", "pair", "quantity", "price", "amount"),
    *("net_market_amount", "filled", "vwap", "filled_amount", "fees", "net_proceeds", "status", "status_code"),
    *("routing_option", "routing_type", "time_in_force", "expires", "dateupdated", "date_added"),
    *("client_order_id", "user_tx_id", "o_action", "algo_id", "algorithm_options", "destination"),
}


async def test_a_resting_limit_order_is_answered_as_the_page_shows() -> None:
    async with sfox() as raw:
        answer = await raw.order(client_order_id="HBOT-B-1", price=43000, quantity=0.5)
        assert set(answer) == _FIELDS
        order = raw.sim.ledger.order("HBOT-B-1")
        assert order.venue_order_id == str(answer["id"])
        assert (order.side, order.price, order.leaves) == (Side.BUY, Decimal(43_000), Decimal("0.5"))
        assert (answer["action"], answer["side_id"], answer["status"], answer["status_code"]) == (
            *("Buy", 500, "Started"),
            100,
        )
        assert (answer["type"], answer["routing_type"], answer["time_in_force"]) == ("Limit", "NetPrice", "GTC")
        assert answer["user_tx_id"] == answer["client_order_id"] == "HBOT-B-1"
        assert answer["date_added"].endswith(".000Z")


async def test_a_client_id_may_be_missing_and_a_form_is_taken() -> None:
    async with sfox() as raw:
        form = {"currency_pair": "btcusd", "algorithm_id": "200", "quantity": "0.1", "price": "43000"}
        headers = raw.bearer()
        url = raw.sim.base_url_http + "/v1/orders/sell"
        async with raw.session.post(url, data=form, headers=headers) as response:
            assert response.status == 201
            answer = await response.json()
        assert (answer["client_order_id"], answer["action"], answer["type"]) == ("", "Sell", "Smart")
        async with raw.session.post(url, data=b"{}", headers={**headers, "Content-Type": "text/xml"}) as response:
            assert response.status == 406
        async with raw.session.post(url, data=b"{", headers={**headers, "Content-Type": "application/json"}) as r:
            assert r.status == 400


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        ({"currency_pair": "btcusda"}, "invalid currency_pair: btcusda"),
        ({"currency_pair": None}, "invalid currency_pair: undefined"),
        ({"algorithm_id": 999}, "algorithm_id"),
        ({"price": None}, "price is required"),
        ({"quantity": None}, "quantity is required"),
        ({"quantity": "-1"}, "invalid quantity"),
        ({"quantity": "0"}, "invalid quantity"),
        ({"quantity": "NaN"}, "invalid quantity"),
        ({"amount": "100"}, "amount is not allowed"),
        ({"price": "43000.001"}, "decimals"),
        ({"quantity": "0.123456789"}, "decimals"),
        ({"quantity": "0.0001", "price": "43000"}, "minimum"),
        ({"currency_pair": "ethbtc", "quantity": "0.0009", "price": "0.05"}, "minimum"),
        ({"quantity": "100"}, "insufficient funds"),
        ({"time_in_force": "DAY"}, "time_in_force"),
        ({"time_in_force": "GTD"}, "expires"),
        ({"time_in_force": "GTD", "expires": 1_600_000_000_000}, "expires"),
        ({"expires": 4_000_000_000_000}, "expires is not allowed"),
        ({"algorithm_id": 303, "time_in_force": "IOC"}, "time_in_force IOC"),
        ({"algorithm_id": 200, "time_in_force": "FOK"}, "time_in_force FOK"),
        ({"algorithm_id": 100}, "amount is required"),
        ({"algorithm_id": 100, "amount": "100"}, "price is not allowed"),
        ({"algorithm_id": 100, "price": None, "quantity": None, "amount": "4.99"}, "minimum"),
        ({"algorithm_id": 150, "price": None}, "quote_id is required"),
        ({"algorithm_id": 307, "total_time": 100}, "total_time"),
        ({"total_time": 1000}, "total_time is not allowed"),
        ({"post_only": True}, "post_only is not allowed"),
        ({"algorithm_id": 308, "price": None, "amount": "100"}, "stop_amount"),
        ({"routing_type": "Best"}, "routing_type"),
        ({"routing_option": "Slow"}, "routing_option"),
        ({"max_slippage": 5}, "max_slippage"),
        ({"client_order_id": "x" * 37}, "client_order_id"),
        ({"client_order_id": "ä"}, "client_order_id"),
        ({"reduce_only": True}, "unknown field"),
        ({"quote_id": "nothing"}, "quote_id"),
    ],
)
async def test_what_the_page_does_not_describe_is_refused(changed: dict[str, Any], text: str) -> None:
    async with sfox() as raw:
        status, error = await raw.refused(**changed)
        assert status == 422
        assert text in error
        assert raw.sim.ledger.orders() == []


async def test_a_client_id_is_refused_for_a_day_and_only_in_its_own_account() -> None:
    async with sfox(accounts=2, cancel_delay_secs=0.0) as raw:
        first = await raw.order(client_order_id="same")
        await raw.cancel(first)
        assert await raw.refused(client_order_id="same") == (422, "client_order_id already used")
        raw.twin.options.duplicate_client_id_status = 409
        assert (await raw.refused(client_order_id="same"))[0] == 409
        await raw.order(client_order_id="same", key=raw.twin.own_keys[1])
        raw.sim.clock.advance(24 * 3600)
        second = await raw.order(client_order_id="same")
        assert second["id"] > first["id"]
        assert (await raw.get("/v1/orders/same"))["id"] == second["id"]
        assert (await raw.get(f"/v1/orders/{first['id']}"))["status"] == "Canceled"


async def test_a_refused_create_does_not_use_up_its_client_id() -> None:
    async with sfox() as raw:
        raw.twin.refuse_next_order("not today", status=400)
        assert await raw.refused(client_order_id="again") == (400, "not today")
        await raw.refused(client_order_id="again", quantity="1000")
        await raw.order(client_order_id="again")


async def test_a_market_buy_spends_its_amount_with_fees_and_never_more() -> None:
    async with sfox(create_answer=CreateAnswer.CURRENT) as raw:
        before = raw.sim.ledger.balance("usd")
        answer = await raw.market("buy", amount="50000", quantity="777")
        assert (answer["amount"], answer["status"], answer["type"]) == (50_000, "Filled", "Market")
        assert answer["net_market_amount"] < 50_000
        assert answer["quantity"] == answer["filled"] == raw.sim.ledger.order(str(answer["id"])).filled
        spent = before - raw.sim.ledger.balance("usd")
        assert Decimal("49999.99") < spent <= 50_000
        assert abs(spent - answer["filled_amount"] - answer["fees"]) < Decimal("0.0000001")
        assert answer["net_proceeds"] == -(answer["filled_amount"] - answer["fees"])  # the venue's own sign


@pytest.mark.parametrize(
    ("shown", "expected"), [(AmountQuantity.ZERO, Decimal(0)), (AmountQuantity.ESTIMATE, Decimal("0.02312396"))]
)
async def test_the_quantity_of_an_order_by_amount_may_be_no_target(shown: AmountQuantity, expected: Decimal) -> None:
    async with sfox(amount_quantity=shown, create_answer=CreateAnswer.CURRENT) as raw:
        answer = await raw.market("buy", amount="1000")
        assert answer["filled"] == Decimal("0.02312396")
        assert answer["quantity"] == expected


async def test_a_market_sell_takes_a_quantity_and_slippage_limits_it() -> None:
    async with sfox(create_answer=CreateAnswer.CURRENT) as raw:
        sold = await raw.market("sell", quantity="2")
        assert (sold["status"], sold["filled"], sold["net_proceeds"]) == (
            *("Filled", 2),
            sold["filled_amount"] - sold["fees"],
        )
        raw.sim.market.flow.pull("btcusd")
        raw.sim.market.trade("btcusd", "43000", "0.1", Side.SELL)  # nobody else is there: the maker takes it
        cut = await raw.market("sell", quantity="1", max_slippage=1)
        assert (cut["status"], cut["filled"]) == ("Canceled", 0)


async def test_fok_failure_in_both_forms_and_success() -> None:
    async with sfox(create_answer=CreateAnswer.CURRENT) as raw:
        fok = {"time_in_force": "FOK", "price": "43229.95", "quantity": "9"}
        assert (await raw.refused("sell", **fok))[0] == 422
        assert raw.sim.ledger.orders() == []
        raw.twin.options.fok_failure = FokFailure.CANCELED
        failed = await raw.order("sell", **fok)
        assert (failed["status"], failed["filled"]) == ("Canceled", 0)
        assert raw.sim.ledger.order(str(failed["id"])).end_reason is EndReason.FOK
        filled = await raw.order("sell", time_in_force="FOK", price="43229", quantity="3")
        assert (filled["status"], filled["filled"]) == ("Filled", 3)


async def test_the_rest_of_an_ioc_order_is_canceled() -> None:
    async with sfox(create_answer=CreateAnswer.CURRENT) as raw:
        bid, size = raw.sim.market.book("btcusd")[0][0]
        part = await raw.order("sell", time_in_force="IOC", price=str(bid), quantity="5")
        assert (part["status"], part["filled"], part["quantity"]) == ("Canceled", size, 5)
        part = await raw.order("sell", algorithm_id=309, price="43500")
        assert (part["status"], part["filled"], part["type"]) == ("Canceled", 0, "IOC")


async def test_makers_never_take_and_other_algorithms_rest() -> None:
    async with sfox(create_answer=CreateAnswer.CURRENT) as raw:
        assert (await raw.order(algorithm_id=303, price="44000"))["status"] == "Canceled"
        for algorithm_id, more in ((302, {}), (305, {}), (306, {}), (307, {"total_time": 1800, "post_only": True})):
            answer = await raw.order(algorithm_id=algorithm_id, price="42000", quantity="0.01", **more)
            assert (answer["status"], answer["algorithm_id"]) == ("Started", algorithm_id)
        assert answer["type"] == "TWAP"


async def test_a_stop_waits_for_its_price() -> None:
    async with sfox(settlement=Settlement.DONE_AT_ONCE, accounts=2) as raw:
        stop = await raw.order("sell", algorithm_id=304, price="43100", quantity="0.2")
        buy = await raw.order("buy", algorithm_id=304, price="50000", quantity=None, amount="1000")
        raw.sim.market.trade("btcusd", "43150", "0.1", Side.SELL)
        assert (await raw.get(f"/v1/orders/{stop['id']}"))["filled"] == 0
        raw.sim.market.set_mid("btcusd", "43090")
        await raw.market("sell", quantity="0.01", key=raw.twin.own_keys[1])
        after = await raw.get(f"/v1/orders/{stop['id']}")
        assert (after["status"], after["filled"], after["price"]) == ("Done", Decimal("0.2"), 43_100)
        assert (await raw.get(f"/v1/orders/{buy['id']}"))["status"] == "Started"


async def test_a_trailing_stop_follows_the_market_and_never_steps_back() -> None:
    async with sfox() as raw:
        stop = await raw.order("sell", algorithm_id=308, price=None, quantity="0.2", stop_amount="100")
        key = str(stop["id"])
        raw.sim.market.trade("btcusd", "43500", "0.01", Side.BUY)
        assert raw.sim.ledger.order(key).trigger.price == 43_400
        raw.sim.market.trade("btcusd", "43450", "0.01", Side.BUY)
        assert raw.sim.ledger.order(key).trigger.price == 43_400
        raw.sim.market.trade("btcusd", "43400", "0.01", Side.SELL)
        assert raw.sim.ledger.order(key).filled == Decimal("0.2")


async def test_decimals_may_be_rounded_or_taken_as_they_are() -> None:
    async with sfox(excess_decimals=ExcessDecimals.ROUND) as raw:
        assert (await raw.order(price="43000.005", quantity="0.1"))["price"] == Decimal("43000.01")
        raw.twin.options.excess_decimals = ExcessDecimals.ACCEPT
        assert (await raw.order(price="43000.005", quantity="0.1"))["price"] == Decimal("43000.005")


async def test_a_quote_is_executed_once_and_at_its_price() -> None:
    async with sfox(balances={"usd": 1_000_000}) as raw:
        wanted = {"pair": "btcusd", "side": "buy", "quantity": 20, "client_quote_id": "q-1"}
        status, quote = await raw.call("POST", "/v1/quote", wanted)
        assert (status, quote["side"], quote["quantity"]) == (200, "BUY", 20)
        fields = {"algorithm_id": 150, "price": None, "quote_id": quote["quote_id"], "quantity": 20}
        assert "client_quote_id" in (await raw.refused(**fields))[1]
        assert "quantity" in (await raw.refused(**{**fields, "quantity": 19}, client_order_id="q-1"))[1]
        done = await raw.order(**fields, client_order_id="q-1")
        assert (done["status"], done["type"], done["routing_type"], done["time_in_force"]) == (
            *("Done", "Instant"),
            *("None", "FOK"),
        )
        assert (done["vwap"], done["fees"], done["quote_id"]) == (quote["buy_price"], 0, quote["quote_id"])
        assert raw.sim.ledger.balance("btc") == 20
        assert "quote_id" in (await raw.refused(**fields, client_order_id="q-2"))[1]
        _, late = await raw.call("POST", "/v1/quote", {"pair": "btcusd", "side": "sell", "amount": 1000})
        raw.sim.clock.advance(10)
        again = {"algorithm_id": 150, "price": None, "quote_id": late["quote_id"], "quantity": str(late["quantity"])}
        assert "expired" in (await raw.refused("sell", **again))[1]


# -- cancel -------------------------------------------------------------------------------------------------


async def test_the_documented_answers_of_a_single_cancel() -> None:
    async with sfox() as raw:
        order = await raw.order()
        assert await raw.cancel(order) == (200, {"status": "cancel pending"})
        assert await raw.cancel(order) == (200, {"status": "cancel pending"})
        raw.twin.options.cancel_delay_secs = 0.0
        other = await raw.order()
        assert await raw.cancel(other) == (200, {"status": "canceled"})
        assert await raw.cancel(other) == (200, {"status": "order already finished"})
        raw.twin.options.finished_cancel_status = 400
        assert await raw.cancel(other) == (400, {"status": "order already finished"})
        assert await raw.cancel({"id": 12345}) == (400, {"error": "internal error"})
        third = await raw.order(client_order_id="by-name")
        assert await raw.cancel({"id": "by-name"}) == (400, {"error": "internal error"})
        raw.twin.options.cancel_by_client_id = True
        raw.twin.options.cancel_answer = CancelAnswer.WITH_ID
        assert await raw.cancel({"id": "by-name"}) == (200, {"id": third["id"], "status": "Canceled"})
        raw.twin.options.cancel_answer = CancelAnswer.EMPTY
        assert await raw.cancel(await raw.order()) == (200, None)


async def test_another_accounts_order_is_unknown() -> None:
    async with sfox(accounts=2) as raw:
        order = await raw.order(key=raw.twin.own_keys[1])
        assert (await raw.cancel(order))[0] == 400
        assert (await raw.call("GET", f"/v1/orders/{order['id']}"))[0] == 404
        assert await raw.get("/v1/orders") == []


async def test_canceling_many_lists_only_those_that_could_be() -> None:
    async with sfox(cancel_delay_secs=0.0) as raw:
        first, second, done = [await raw.order(quantity="0.1") for _ in range(3)]
        await raw.cancel(done)
        status, body = await raw.call("DELETE", f"/v1/orders?ids={first['id']},{done['id']},{second['id']},77,x")
        rows = [{"id": order["id"], "status": "Canceled"} for order in (first, second)]
        assert (status, body) == (200, {"orders": rows})
        text = "the order ids provided were invalid or the orders were already done/canceled"
        for path in (f"/v1/orders?ids={done['id']}", "/v1/orders", "/v1/orders?ids="):
            assert await raw.call("DELETE", path) == (400, {"error": text})


async def test_cancel_open_ends_everything_of_the_account() -> None:
    async with sfox(accounts=2) as raw:
        mine = [await raw.order(quantity="0.1"), await raw.order("sell", price="44000", quantity="0.1")]
        other = await raw.order(key=raw.twin.own_keys[1])
        status, body = await raw.call("DELETE", "/v1/orders/open")
        assert (status, [row["id"] for row in body["orders"]]) == (200, [order["id"] for order in mine])
        assert {row["status"] for row in body["orders"]} == {"Cancel pending"}
        assert raw.twin.account(1).order(str(other["id"])).is_open
        await _ended(raw, mine)
        assert await raw.call("DELETE", "/v1/orders/open") == (200, {"orders": []})


async def _ended(raw: RawSfox, orders: list[dict[str, Any]]) -> None:
    for order in orders:
        until = time.monotonic() + 3
        while (await raw.get(f"/v1/orders/{order['id']}"))["status"] != "Canceled":
            assert time.monotonic() < until


# -- amend --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("side", "changes", "allowed"),
    [
        ("buy", {"price": "43100"}, True),
        ("buy", {"price": "42900"}, False),
        ("sell", {"price": "43900"}, True),
        ("sell", {"price": "44100"}, False),
        ("buy", {"quantity": "0.6"}, True),
        ("buy", {"quantity": 2}, True),
        ("buy", {"quantity": "0.4"}, False),
        ("buy", {"quantity": "30"}, False),  # not paid for
        ("sell", {"quantity": "10.1"}, False),
        ("buy", {"price": "43100", "quantity": "0.7"}, True),
        ("buy", {"amount": "1000"}, False),
        ("buy", {"stop_amount": "10"}, False),
        ("buy", {"client_order_id": "x"}, False),
        ("buy", {"price": "43100.001"}, False),
        ("buy", {}, False),
    ],
)
async def test_an_amend_goes_one_way_only(side: str, changes: dict[str, Any], allowed: bool) -> None:
    async with sfox() as raw:
        order = await raw.order(side, price="43000" if side == "buy" else "44000")
        status, answer = await raw.call("PATCH", f"/v1/orders/{order['id']}", changes)
        assert status == (200 if allowed else 422)
        now = raw.sim.ledger.order(str(order["id"]))
        if allowed:
            assert {name: answer[name] for name in changes} == {k: Decimal(str(v)) for k, v in changes.items()}
            assert answer["id"] == order["id"]
        else:
            assert answer["error"]
            assert (now.price, now.quantity) == (Decimal(order["price"]), Decimal(order["quantity"]))


async def test_an_amend_may_trade_and_its_answer_may_be_empty() -> None:
    async with sfox(amend_answer=AmendAnswer.EMPTY) as raw:
        order = await raw.order(quantity="0.1")
        assert await raw.call("PATCH", f"/v1/orders/{order['id']}", {"price": "43300"}) == (200, None)
        assert raw.sim.ledger.order(str(order["id"])).filled == Decimal("0.1")
        finished = await raw.call("PATCH", f"/v1/orders/{order['id']}", {"price": "43400"})
        assert finished == (400, {"error": "order already finished"})
        assert (await raw.call("PATCH", "/v1/orders/77", {"price": "43400"}))[0] == 400
        url = f"{raw.sim.base_url_http}/v1/orders/{order['id']}"
        async with raw.session.patch(url, data={"price": "43400"}, headers=raw.bearer()) as response:
            assert response.status == 400  # a form is no JSON


async def test_only_stops_have_an_amount_and_a_distance_to_amend() -> None:
    async with sfox() as raw:
        stop = await raw.order("buy", algorithm_id=308, price=None, quantity=None, amount="1000", stop_percent="0.1")
        path = f"/v1/orders/{stop['id']}"
        status, answer = await raw.call("PATCH", path, {"amount": "2000", "stop_percent": "0.2"})
        assert (status, answer["amount"]) == (200, 2000)
        assert raw.sim.ledger.order(str(stop["id"])).quote_amount == answer["net_market_amount"]
        assert answer["price"] > stop["price"]
        assert (await raw.call("PATCH", path, {"amount": "1500"}))[0] == 422
        assert (await raw.call("PATCH", path, {"price": "60000"}))[0] == 422
        assert (await raw.call("PATCH", path, {"quantity": "1"}))[0] == 422


# -- faults -------------------------------------------------------------------------------------------------


async def test_a_lost_answer_leaves_an_order_that_its_client_id_finds() -> None:
    async with sfox() as raw:
        raw.sim.faults.once(Fault.LOST_ANSWER, where="POST /v1/orders/{side}")
        with pytest.raises(Exception, match=r"(?i)disconnect|reset|closed"):
            await raw.order(client_order_id="lost")
        assert (await raw.get("/v1/orders/lost"))["status"] == "Started"
        assert (await raw.refused(client_order_id="lost"))[0] == 422


async def test_an_error_may_come_before_or_after_the_effect() -> None:
    async with sfox() as raw:
        where = "POST /v1/orders/{side}"
        raw.sim.faults.once(Fault.ERROR_AFTER_EFFECT, where=where, status=503)
        assert await raw.refused(client_order_id="done") == (503, "internal error")
        assert raw.sim.ledger.order("done").is_open
        raw.sim.faults.once(Fault.ERROR_BEFORE_EFFECT, where=where)
        assert (await raw.refused(client_order_id="undone"))[0] == 500
        assert raw.sim.ledger.find_order("undone") is None
        raw.sim.faults.once(Fault.STALE_SNAPSHOT, where="GET /v1/orders/{order_id}")
        assert (await raw.call("GET", "/v1/orders/done"))[1] == []  # a reserved word, not a client id
        assert (await raw.call("GET", "/v1/orders/undone"))[0] == 404
