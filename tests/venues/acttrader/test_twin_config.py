"""What the simulated ActTrader hands to its clients: configs, the instruments file, a process of its own."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from decimal import Decimal
from pathlib import Path
from types import ModuleType

import aiohttp
import msgspec
import pytest
from nautilus_trader.model.instruments import CurrencyPair

from nautilus_orderfeeds.sim import simulate
from tests.support.acttrader_raw import acttrader


async def test_the_instruments_file_is_read_by_the_framework_and_lives_as_long_as_the_simulation() -> None:
    async with acttrader("final", commission_rate="0.00002") as raw:
        fields = raw.twin.config_fields()
        path = Path(fields["instruments"])
        rows = json.loads(path.read_text())
        assert [row["id"] for row in rows] == ["EURUSD.ACTTRADER", "GBPUSD.ACTTRADER", "BTCUSD.ACTTRADER"]
        for row in rows:
            instrument = CurrencyPair.from_dict(row)
            assert CurrencyPair.to_dict(instrument) == row
            product = raw.sim.market.product(instrument.raw_symbol.value)
            assert instrument.price_increment.as_decimal() == product.tick
            assert instrument.size_increment.as_decimal() == product.lot
            assert instrument.min_quantity.as_decimal() == product.min_size
            assert instrument.taker_fee == Decimal("0.00002")
        assert fields["starting_balances"] == ["1000000 USD"]
        assert fields["dialect"] == "final"
        assert raw.sim.ledger.balance("USD") == 1_000_000
    assert not path.exists()


async def test_commission_and_profit_are_in_the_quote_currency() -> None:
    async with acttrader("final", commission_rate="0.00002") as raw:
        socket = await raw.connect()
        await socket.place("MARKET", "BUY", 10000)
        raw.sim.market.set_mid("EURUSD", "1.17300")
        await socket.execution()
        await socket.place("MARKET", "SELL", 10000)
        bought, sold = raw.sim.ledger.fills()
        profit = 10000 * (sold.price - bought.price)
        fees = (bought.price + sold.price) * 10000 * Decimal("0.00002")
        assert profit == 99
        assert raw.sim.ledger.balance("USD") == 1_000_000 + profit - fees
        assert raw.sim.ledger.position("EURUSD").net == 0


class _Exec(msgspec.Struct, kw_only=True):
    base_url_ws: str
    dialect: str
    login: str | int
    instruments: str
    starting_balances: list[str]
    journal: str
    auth_headers: dict[str, str] | None = None
    auth_message: str | None = None


class _Data(msgspec.Struct, kw_only=True):
    base_url_ws: str
    instruments: str


async def test_configs_have_what_the_wire_does_not_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    door = ModuleType("door")
    door.ActTraderExecClientConfig = _Exec  # type: ignore[attr-defined]
    door.ActTraderDataClientConfig = _Data  # type: ignore[attr-defined]
    async with acttrader("draft", auth_headers={"X-Key": "a"}, auth_message="b", token="c") as raw:
        monkeypatch.setitem(sys.modules, "nautilus_orderfeeds.venues.acttrader", door)
        execution, data = raw.sim.exec_config(), raw.sim.data_config()
        assert execution.base_url_ws == raw.sim.base_url_ws + "?token=c"
        assert (execution.login, execution.dialect, execution.journal) == ("user-login-1", "draft", ":memory:")
        assert (execution.auth_headers, execution.auth_message) == ({"X-Key": "a"}, "b")
        assert data.base_url_ws == raw.twin.ticker_url
        assert data.instruments == execution.instruments
        socket = await raw.connect(execution.base_url_ws, headers=execution.auth_headers)
        await socket.send_text(execution.auth_message)
        await socket.place("MARKET", "BUY", 10000)


def test_unknown_switches_and_values_are_errors() -> None:
    with pytest.raises(TypeError, match="no_such_switch"):
        simulate("acttrader", no_such_switch=True)
    with pytest.raises(ValueError, match="interim"):
        simulate("acttrader", dialect="interim")
    with pytest.raises(ValueError, match="tick_time_digits"):
        simulate("acttrader", tick_time_digits=2)


async def test_it_runs_as_a_process_and_prints_what_a_client_needs() -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "nautilus_orderfeeds.sim", "acttrader", "--accounts", "2", "--no-flow"),
        *("--option", "dialect=final", "--option", 'auth_headers={"X-Key":"a"}', "--option", "token=b"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    line = json.loads(await asyncio.wait_for(process.stdout.readline(), 20))
    assert line["credentials"] == {"login": 123456, "auth_headers": {"X-Key": "a"}, "token": "b"}
    path = Path(line["config_fields"]["instruments"])
    assert path.exists()
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(line["config_fields"]["base_url_ws"], headers={"X-Key": "a"}) as socket,
    ):
        await socket.send_str('{"event":"orders","requestId":"a"}')
        assert await socket.receive_json(timeout=5) == {"event": "orders", "requestId": "a", "payload": []}
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), 10) == 0
    assert process.stderr is not None
    assert await process.stderr.read() == b""
    assert not path.exists()
