"""The framework's own Binance futures adapter: the same three steps through its stream handler."""

from decimal import Decimal
from typing import Any

import msgspec
from nautilus_trader.adapters.binance.common.enums import BinanceAccountType, BinanceEnvironment
from nautilus_trader.adapters.binance.config import BinanceExecClientConfig
from nautilus_trader.adapters.binance.futures.execution import BinanceFuturesExecutionClient
from nautilus_trader.adapters.binance.futures.providers import BinanceFuturesInstrumentProvider
from nautilus_trader.adapters.binance.http.client import BinanceHttpClient
from nautilus_trader.core.uuid import UUID4
from nautilus_trader.model.events import OrderSubmitted
from nautilus_trader.test_kit.providers import TestInstrumentProvider

from benchmarks.framework import Framework


def _order(order: Any, number: int, /, **changes: Any) -> bytes:
    data: dict[str, Any] = {
        "s": "BTCUSDT",
        "c": order.client_order_id.value,
        "S": "BUY",
        "o": "LIMIT",
        "f": "GTC",
        "q": "0.018",
        "p": "55000.0",
        "ap": "0",
        "sp": "0",
        "x": "NEW",
        "X": "NEW",
        "i": 8886774 + number,
        "l": "0",
        "z": "0",
        "L": "0",
        "T": 1719319688307,
        "t": 0,
        "b": "0",
        "a": "9.91",
        "m": True,
        "R": False,
        "wt": "CONTRACT_PRICE",
        "ot": "LIMIT",
        "ps": "BOTH",
        "cp": False,
        "AP": None,
        "cr": None,
        "rp": "0",
        "N": None,
        "n": None,
        "pP": False,
        "si": 0,
        "ss": 0,
        "V": "NONE",
        "pm": "NONE",
        "gtd": 0,
    }
    message = {"e": "ORDER_TRADE_UPDATE", "E": 1719319688307, "T": 1719319688307, "o": data | changes}
    return msgspec.json.encode(message)


def frames(order: Any, n: int) -> dict[str, bytes]:
    """The three steps of one order's life."""
    fee = {"N": "USDT", "n": "0.0275", "x": "TRADE", "L": "55000.0", "ap": "55000.0"}
    return {
        "accept": _order(order, n),
        "partial fill": _order(order, n, X="PARTIALLY_FILLED", l="0.010", z="0.010", t=2 * n, **fee),
        "fill": _order(order, n, X="FILLED", l="0.008", z="0.018", t=2 * n + 1, **fee),
    }


def build(framework: Framework, orders: int) -> tuple[Any, list[dict[str, bytes]]]:
    """Return a client with `orders` submitted orders, and the frames of each."""
    http = BinanceHttpClient(framework.clock, "key", "c2VjcmV0", "http://127.0.0.1:1")
    provider = BinanceFuturesInstrumentProvider(
        client=http, clock=framework.clock, account_type=BinanceAccountType.USDT_FUTURES
    )
    client = BinanceFuturesExecutionClient(
        loop=framework.loop,
        client=http,
        msgbus=framework.msgbus,
        cache=framework.cache,
        clock=framework.clock,
        instrument_provider=provider,
        base_url_ws="ws://127.0.0.1:1",
        config=BinanceExecClientConfig(api_key="key", api_secret="c2VjcmV0"),
        account_type=BinanceAccountType.USDT_FUTURES,
        environment=BinanceEnvironment.LIVE,
        api_key="key",
        api_secret="c2VjcmV0",
    )
    instrument = TestInstrumentProvider.btcusdt_perp_binance()
    provider.add(instrument)
    framework.cache.add_instrument(instrument)
    lives: list[dict[str, bytes]] = []
    for n in range(1, orders + 1):
        order = framework.limit_order(instrument, Decimal("0.018"), Decimal("55000.0"), "BINANCE")
        submitted = OrderSubmitted(
            framework.trader_id,
            framework.strategy_id,
            instrument.id,
            order.client_order_id,
            client.account_id,
            UUID4(),
            0,
            0,
        )
        order.apply(submitted)
        framework.cache.update_order(order)
        lives.append(frames(order, n))
    return client, lives
