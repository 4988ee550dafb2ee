"""The printed samples against the twin: what is shown as sent is taken, what is shown as received is what comes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from nautilus_orderfeeds.sim import Side
from tests.support.acttrader_raw import RawActTrader, RawSocket, acttrader, dump, load

SAMPLES = Path(__file__).parent / "samples"
FOLDERS = {"draft": "seed", "final": "docs"}
PAST, FUTURE = "2022-0", "2099-0"


def sample(dialect: str, name: str) -> Any:
    return load((SAMPLES / FOLDERS[dialect] / f"{name}.json").read_text())


async def play(socket: RawSocket, raw: RawActTrader, name: str, order_id: int | None = None, **changed: Any) -> Any:
    """Send a client sample (its placeholders made real) and receive until its answer comes."""
    dialect = raw.twin.options.dialect.value
    message = sample(dialect, f"ws-client-{name}")
    payload = message.get("payload", {})
    if "login" in payload:
        payload["login"] = socket.login
    if order_id is not None and "orderId" in payload:
        payload["orderId"] = order_id
    payload.update(changed)
    await socket.send_text(dump(message).replace(PAST, FUTURE))
    while True:
        answer = await socket.receive()
        if answer["event"] != "execution":
            return answer


def keys(value: Any) -> Any:
    """The shape of a message: keys and types, not values."""
    match value:
        case dict():
            return {key: keys(item) for key, item in value.items() if key != "__doubled__"}
        case list():
            return [keys(item) for item in value]
        case int() if not isinstance(value, bool):
            return "number"
        case str():
            return "text"
        case _:
            return "number"


@pytest.mark.parametrize("dialect", ["draft", "final"])
async def test_every_client_sample_is_answered_in_the_shape_of_its_server_sample(dialect: str) -> None:
    async with acttrader(dialect, strict_prices=False) as raw:
        socket = await raw.connect()
        placed = await play(socket, raw, "newordersingle", price="PRICE")
        assert placed["event"] == "error"  # a text where a number belongs
        placed = await play(socket, raw, "newordersingle", clientOrderId="my order", price=1)
        assert keys(placed) == keys(sample(dialect, "ws-server-newordersingle"))
        order_id = placed["payload"]["orderId"]

        modified = await play(socket, raw, "modifyordersingle", order_id, price=1)
        expected = sample(dialect, "ws-server-modifyordersingle")
        expected.get("payload", {}).pop("stopPrice", None)  # a LIMIT order has none
        assert keys(modified) == keys(expected)

        status = await play(socket, raw, "orderstatus", order_id, **_renamed(dialect))
        expected = sample(dialect, "ws-server-orderstatus")
        assert keys({**status["payload"], "fills": 0}) == keys({**expected["payload"], "fills": 0})
        assert status["payload"].get("__doubled__") == (["type"] if dialect == "draft" else None)

        canceled = await play(socket, raw, "ordercancel", order_id, **_renamed(dialect))
        assert keys(canceled) == keys(sample(dialect, "ws-server-ordercancel"))

        pair = await play(socket, raw, "neworderoco", side="SELL")
        assert keys(pair) == keys(sample(dialect, "ws-server-neworderoco"))


def _renamed(dialect: str) -> dict[str, str]:
    """The final sample of a modify gives the order this new clientOrderId."""
    return {} if dialect == "draft" else {"clientOrderId": "new value"}


@pytest.mark.parametrize("dialect", ["draft", "final"])
async def test_the_list_has_rows_in_the_shape_of_the_sample(dialect: str) -> None:
    async with acttrader(dialect) as raw:
        socket = await raw.connect()
        till = {} if dialect == "draft" else {"tillTime": "2099-04-23T18:25:43.511Z"}
        for kind, price, stop in (("LIMIT", 1, None), ("STOP", None, 2), ("STOP_LIMIT", 2, 2)):
            await socket.place(kind, "BUY", 10000, price, stop, clientOrderId=kind, **till)
            await socket.execution()
        listed = await play(socket, raw, "orders")
        expected = sample(dialect, "ws-server-orders")
        assert set(listed) == set(expected)
        if dialect == "draft":
            expected = {key for key in expected["payload"][1] if key != "__doubled__"}
            assert [set(row) - {"__doubled__"} for row in listed["payload"]] == [expected] * 3
            assert {tuple(row["__doubled__"]) for row in listed["payload"]} == {("type",)}
        else:
            assert [keys(row) for row in listed["payload"]] == [keys(row) for row in expected["payload"]]


@pytest.mark.parametrize("dialect", ["draft", "final"])
async def test_executions_have_the_shape_of_the_samples(dialect: str) -> None:
    async with acttrader(dialect) as raw:
        socket = await raw.connect()
        await socket.place("MARKET", "SELL", 10000, clientOrderId="my order")
        filled = await socket.receive()
        if dialect == "draft":
            assert keys(filled) == keys(sample("draft", "ws-server-execution"))
            return
        expected = sample("final", "ws-server-execution-filled")
        assert keys(filled["payload"] | {"fills": 0}) == keys(expected["payload"] | {"fills": 0})
        assert keys(filled["payload"]["fills"][0]) == keys(expected["payload"]["fills"][0])
        till = {"tillTime": "2099-04-23T18:25:43.511Z"}
        await socket.place("LIMIT", "SELL", 10000, 2, clientOrderId="my order", **till)
        await socket.execution()
        raw.sim.clock.advance(100 * 365 * 86_400)
        canceled = await socket.receive()
        expected = sample("final", "ws-server-execution-canceled-lifetime")
        assert keys(canceled) == keys(expected)
        for key in ("status", "reason", "executedQty", "timeInForce"):
            assert canceled["payload"][key] == expected["payload"][key]


async def test_errors_have_the_shape_of_the_samples() -> None:
    async with acttrader("draft") as raw:
        socket = await raw.connect()
        answer = await play(socket, raw, "ordercancel")
        assert keys(answer) == keys(sample("draft", "ws-server-error"))
    async with acttrader("final") as raw:
        socket = await raw.connect()
        wanted = sample("final", "ws-server-error-order-not-exists")
        assert await play(socket, raw, "ordercancel") == wanted
        order_id = await socket.place("MARKET", "BUY", 10000, clientOrderId="my order")
        await socket.execution()
        wanted = sample("final", "ws-server-error-order-already-closed")
        assert await play(socket, raw, "ordercancel", order_id) == wanted
        raw.twin.options.named_error_codes = True
        for known, name in ((0, "not-exists"), (order_id, "already-closed")):
            changed = {} if known else {"clientOrderId": "nobody's"}
            wanted = sample("final", f"ws-server-error-order-{name}-interim")
            assert await play(socket, raw, "ordercancel", known or 5, **changed) == wanted
        raw.twin.options.error_event_empty = True
        generic = await play(socket, raw, "newordersingle", symbol="NOTHING")
        assert keys(generic) == keys(sample("final", "ws-server-error"))
        assert generic["payload"]["event"] == ""


@pytest.mark.parametrize("dialect", ["draft", "final"])
async def test_printed_samples_that_are_no_json_are_refused_and_the_connection_stays(dialect: str) -> None:
    printed = [path for path in (SAMPLES / FOLDERS[dialect]).glob("ws-client-*.txt") if not _is_json(path)]
    assert len(printed) >= 2
    async with acttrader(dialect) as raw:
        socket = await raw.connect()
        for path in printed:
            await socket.send_text(path.read_text())
            error = await socket.receive()
            assert error["event"] == "error"
            assert "requestId" not in error
        assert await socket.nothing()
        assert raw.sim.ledger.orders() == []


def _is_json(path: Path) -> bool:
    try:
        json.loads(path.read_text())
    except ValueError:
        return False
    return True


async def test_the_withdrawn_dealer_function_does_not_exist() -> None:
    async with acttrader("final") as raw:
        socket = await raw.connect()
        order_id = await socket.place("LIMIT", "BUY", 10000, 1)
        await socket.execution()
        answer = await play(socket, raw, "executeordersingle-withdrawn", order_id)
        assert answer["event"] == "error"
        raw.trade("1.1", "10000", Side.BUY)
        assert await socket.nothing()
