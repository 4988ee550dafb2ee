"""The private streams of the simulated Outpoll (protocol 4.4, 6.1-6.3, 13.7 points 3, 6 and 7)."""

from __future__ import annotations

import asyncio
import json
import time
from decimal import Decimal

import aiohttp
import pytest

from nautilus_orderfeeds.sim import Fault, OrderState
from nautilus_orderfeeds.sim.model import SimOrder
from nautilus_orderfeeds.venues.outpoll.twin_products import QUOTE_ASSET, YES
from nautilus_orderfeeds.venues.outpoll.twin_words import Service
from tests.support.outpoll_raw import RawOutpoll, RawStream, eventually, outpoll, sample, shape

ORDERS, FEED, BALANCES = "/order/ws", "/history/order/ws", "/balance/ws"


# -- AUTH ---------------------------------------------------------------------------------------------------


async def test_the_three_replies() -> None:
    async with outpoll() as raw:
        replies = {}
        for path, signed in ((ORDERS, ORDERS), (FEED, ORDERS), (BALANCES, BALANCES)):
            stream = await raw.stream(path)
            await stream.send(stream.auth(signed))
            replies[path] = await stream.receive()
        assert replies[ORDERS] == sample("seed/ws-server-auth-success-order-updates.json")
        assert replies[FEED] == sample("docs/ws-server-auth-success-order-feed.json")
        assert shape(replies[BALANCES]) == shape(sample("docs/ws-server-auth-success-balance-snapshot.json"))
        assert replies[BALANCES]["d"]["l"] == [{"i": QUOTE_ASSET, "b": Decimal(10_000), "f": Decimal(10_000)}]


@pytest.mark.parametrize("path", [ORDERS, FEED, BALANCES])
@pytest.mark.parametrize("failure", ["error", "error_and_close", "close", "silent"])
async def test_bad_credentials(path: str, failure: str) -> None:
    async with outpoll(auth_failure=failure) as raw:
        stream = await raw.stream(path)
        await stream.send(stream.auth("/order/ws" if path == BALANCES else "/balance/ws"))
        if "error" in failure:
            assert await stream.receive() == sample("seed/ws-server-auth-failure-order-updates.json")
        if "close" in failure:
            assert await stream.is_closed()
        else:
            assert await stream.is_silent()


async def test_what_an_auth_may_not_be() -> None:
    async with outpoll() as raw:
        stream = await raw.stream(ORDERS)
        good = stream.auth(ORDERS)
        stamp = str(int(time.time()) - 40)
        bad = [
            {"t": "PONG"},
            {**good, "t": "auth"},
            "no json",
            {"t": "AUTH"},
            {"t": "AUTH", "d": {**good["d"], "timestamp": int(good["d"]["timestamp"])}},
            {"t": "AUTH", "d": {**good["d"], "timestamp": stamp}},
            {"t": "AUTH", "d": {**good["d"], "apiKey": "op_k_other"}},
        ]
        for message in bad:
            await stream.send(message)
            assert (await stream.receive())["d"] == {"error": "Invalid or missing credentials"}
        await stream.send(good)
        assert (await stream.receive())["t"] == "success"


async def test_replies_in_the_other_case_and_silence() -> None:
    async with outpoll(auth_reply="other_case") as raw:
        for path, wanted in ((ORDERS, "SUCCESS"), (FEED, "success"), (BALANCES, "SUCCESS")):
            stream = await raw.stream(path)
            await stream.send(stream.auth(BALANCES if path == BALANCES else ORDERS))
            assert (await stream.receive())["t"] == wanted
        raw.twin.options.auth_reply = type(raw.twin.options.auth_reply).SILENT
        stream = await raw.stream(ORDERS)
        await stream.send(stream.auth(ORDERS))
        assert await stream.is_silent()
        assert isinstance(stream.socket, aiohttp.ClientWebSocketResponse)


async def test_order_feed_by_choice() -> None:
    async with outpoll(order_feed=False) as raw:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await raw.stream(FEED)
        assert refused.value.status == 404


@pytest.mark.parametrize("how", ["replace_key", "expire_key", "block_key"])
async def test_keys_that_end_close_streams_by_choice(how: str) -> None:
    async with outpoll() as raw:
        stream = await raw.orders()
        getattr(raw.twin, how)()
        raw.twin.push_order_update("x")
        assert await stream.update() == ("x", "SUCCESS")
        again = await raw.stream(ORDERS)
        await again.send(again.auth(ORDERS))
        assert (await again.receive())["t"] == "error"
        raw.use(raw.twin.replace_key())
        stream = await raw.orders()
        getattr(raw.twin, how)(close_streams=True)
        assert await stream.is_closed()


# -- ORDER_UPDATE -------------------------------------------------------------------------------------------


async def life(raw: RawOutpoll, stream: RawStream) -> list[str]:
    """Rest, fill in two parts, cancel, take, find nothing; the statuses until a marker comes."""

    async def processed(order_id: str) -> SimOrder:
        order = raw.sim.ledger.order(order_id)

        async def is_processed() -> bool:
            return order.state is not OrderState.PENDING

        await eventually(is_processed)
        return order

    first = await processed(await raw.limit(YES, "BUY", "0.40", "5"))
    raw.twin.fill(first, "2")
    raw.twin.fill(first, "3")
    second = await processed(await raw.limit(YES, "BUY", "0.40", "5"))
    await raw.cancel(second.venue_order_id)
    await processed(await raw.buy(YES, "1"))
    raw.sim.market.flow.pull(YES.asset_id)
    await processed(await raw.sell(YES, "1"))
    raw.twin.push_order_update("marker")
    statuses = []
    while (update := await stream.update())[0] != "marker":
        statuses.append(update[1])
    return statuses


@pytest.mark.parametrize(
    ("meaning", "wanted"),
    [
        ("a", ["SUCCESS", "SUCCESS", "SUCCESS", "SUCCESS", "FAILED"]),
        ("b", ["SUCCESS", "SUCCESS", "SUCCESS", "FAILED"]),
        ("c", ["SUCCESS"] * 7 + ["FAILED"]),
    ],
)
async def test_the_three_meanings(meaning: str, wanted: list[str]) -> None:
    async with outpoll(update_meaning=meaning) as raw:
        assert await life(raw, await raw.orders()) == wanted


async def test_an_update_looks_like_the_sample() -> None:
    async with outpoll() as raw:
        stream = await raw.orders()
        order_id = await raw.limit(YES, "BUY", "0.40", "5")
        update = await stream.receive()
        assert shape(update) == shape(sample("seed/ws-server-order-update.json"))
        assert update["d"] == {"i": order_id, "u": raw.user, "s": "SUCCESS"}


@pytest.mark.parametrize(("when", "is_early"), [("before", True), ("after", False)])
async def test_updates_before_or_after_the_answer(when: str, is_early: bool) -> None:
    async with outpoll(place_update=when, cancel_update=when, answer_delay_secs=0.3) as raw:
        stream = await raw.orders()
        placing = asyncio.create_task(raw.limit(YES, "BUY", "0.40", "5"))
        if is_early:
            order_id, status = await stream.update()
            assert not placing.done()
        else:
            assert await stream.is_silent()
            order_id, status = await placing, (await stream.update())[1]
        assert (order_id, status) == (await placing, "SUCCESS")
        canceling = asyncio.create_task(raw.cancel(order_id))
        if is_early:
            assert await stream.update() == (order_id, "SUCCESS")
            assert not canceling.done()
        else:
            assert await stream.is_silent()
            assert await canceling == 200
            assert await stream.update() == (order_id, "SUCCESS")
        assert await canceling == 200


async def test_an_update_instead_of_an_id() -> None:
    async with outpoll(place_update="instead", place_status=202) as raw:
        stream = await raw.orders()
        status, body = await raw.call("POST", "/orders/limit", raw.limit_body(YES, "BUY", "0.40", "5"))
        assert (status, body) == (202, {})
        assert await stream.update() == (raw.sim.ledger.orders()[0].venue_order_id, "SUCCESS")


@pytest.mark.parametrize("delay", [0.0, 0.02])
async def test_updates_never(delay: float) -> None:
    async with outpoll(
        place_update="never", cancel_update="never", update_meaning="c", process_delay_secs=delay
    ) as raw:
        assert await life(raw, await raw.orders()) == []


async def test_updates_doubled_dropped_and_for_unknown_orders() -> None:
    async with outpoll(update_copies=2) as raw:
        stream = await raw.orders()
        order_id = await raw.limit(YES, "BUY", "0.40", "5")
        assert [await stream.update(), await stream.update()] == [(order_id, "SUCCESS")] * 2
        raw.twin.options.update_copies = 0
        assert await raw.cancel(order_id) == 200
        raw.twin.options.update_copies = 1
        raw.twin.push_order_update("unknown", "FAILED")
        assert await stream.update() == ("unknown", "FAILED")
        raw.sim.faults.once(Fault.DROP, where="orders/update/SUCCESS")
        raw.twin.push_order_update("dropped")
        raw.sim.faults.once(Fault.DOUBLE, where="orders/update")
        raw.twin.push_order_update("doubled")
        assert [await stream.update() for _ in range(2)] == [("doubled", "SUCCESS")] * 2


async def test_an_update_although_the_answer_is_lost() -> None:
    async with outpoll() as raw:
        stream = await raw.orders()
        raw.sim.faults.once(Fault.LOST_ANSWER, where="POST /orders/limit")
        with pytest.raises(aiohttp.ClientError):
            await raw.limit(YES, "BUY", "0.40", "5")
        assert await stream.update() == (raw.sim.ledger.orders()[0].venue_order_id, "SUCCESS")


async def test_a_failed_update_for_a_cancel_that_came_too_late() -> None:
    async with outpoll(closed_cancel_status=200) as raw:
        order_id = await raw.buy(YES, "1")
        stream = await raw.orders()
        assert await raw.cancel(order_id) == 200
        assert await stream.update() == (order_id, "FAILED")
        other = await raw.limit(YES, "BUY", "0.40", "5")
        assert await stream.update() == (other, "SUCCESS")
        raw.twin.race_next_cancel()
        await raw.cancel(other)
        assert await stream.update() == (other, "FAILED")
        assert raw.sim.ledger.order(other).state is OrderState.FILLED


async def test_order_feed_repeats_rows_of_the_history_late() -> None:
    async with outpoll(history_delay_secs=0.1) as raw:
        stream = await raw.stream(FEED)
        await stream.send(stream.auth(ORDERS))
        await stream.receive()
        order_id = await raw.buy(YES, "1")
        assert await raw.history() == {}
        event = await stream.receive()
        assert (event["t"], event["d"]["i"], event["d"]["st"]) == ("ORDER", order_id, "FILLED")
        raw.twin.options.history_delay_secs = 0.0
        assert (await raw.history())[order_id] == event["d"]


# -- PING ---------------------------------------------------------------------------------------------------


async def test_pings_come_at_an_interval_and_need_no_answer() -> None:
    async with outpoll(ping_secs=0.05) as raw:
        stream = await raw.orders()
        public = await raw.stream("/event/ws")
        for _ in range(3):
            assert await stream.receive() == sample("seed/ws-server-ping.json")
            assert (await public.receive())["t"] == "PING"
        await stream.send({"t": "PONG"})
        assert (await stream.receive())["t"] == "PING"


async def test_no_ping_before_auth_nor_without_an_interval() -> None:
    async with outpoll(ping_secs=0.02) as raw:
        assert await (await raw.stream(ORDERS)).is_silent()
        raw.twin.options.ping_secs = 0.0
        stream = await raw.stream("/event/ws")
        assert await stream.is_silent()


async def test_a_pong_may_be_required() -> None:
    async with outpoll(ping_secs=0.0, pong_mode="required") as raw:
        good, bad = await raw.orders(), await raw.orders()
        for _ in range(3):
            raw.twin.push_ping()
            assert (await good.receive())["t"] == "PING"
            await good.send({"t": "PONG"})
            await good.send({"t": "nothing"})
            assert (await good.receive())["t"] == "error"  # so the PONG was read
        assert (await bad.receive())["t"] == "PING"
        assert await bad.is_closed()


@pytest.mark.parametrize("path", [ORDERS, "/event/ws", "/ws", "/history/ws"])
async def test_a_pong_may_be_an_error(path: str) -> None:
    async with outpoll(pong_mode="error") as raw:
        stream = await raw.orders() if path == ORDERS else await raw.stream(path)
        await stream.send({"t": "PONG"})
        answer = await stream.receive()
        assert answer["t"].lower() == "error"
        assert "Unknown message type" in json.dumps(answer)


async def test_protocol_pings_and_half_dead_sockets() -> None:
    async with outpoll() as raw:
        stream = await raw.orders()
        raw.sim.freeze_all()
        raw.twin.push_order_update("x")
        assert await stream.is_silent()
        raw.sim.faults.calm()
        assert await stream.is_closed()
        stream = await raw.orders()
        raw.sim.faults.once(Fault.RESET, where="orders")
        raw.twin.push_order_update("x")
        assert await stream.is_closed()


async def test_a_frame_may_be_cut_at_any_byte() -> None:
    async with outpoll() as raw:
        length = len(json.dumps({"t": "ORDER_UPDATE", "d": {"i": "x", "u": raw.user, "s": "SUCCESS"}})) - 8
        for at in (0, 1, 2, 20, length, length + 1000):
            stream = await raw.orders()
            raw.sim.faults.once(Fault.RESET, where="orders", at=at)
            raw.twin.push_order_update("x")
            assert await stream.is_closed()
        stream = await raw.orders()
        raw.twin.push_order_update("x")
        assert await stream.update() == ("x", "SUCCESS")


async def test_any_frame_can_be_pushed() -> None:
    async with outpoll() as raw:
        stream = await raw.orders()
        raw.twin.push_text(Service.ORDERS, "{oops")
        assert await stream.text() == "{oops"
        await stream.send({"t": "SUBSCRIBE"})
        assert (await stream.receive())["d"] == {"error": "Unknown message type"}
