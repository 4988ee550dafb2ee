"""The framework's own Binance futures adapter: the same three steps through its stream handler."""

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
from benchmarks.plans import Plan, plan


def _order(order: Any, number: int, ordered: Plan, /, **changes: Any) -> bytes:
    """One order as the venue's documentation prints it, its keys in that order.

    `AP` and `cr` come with trailing orders only, `N` and `n` with a commission only.
    """
    data: dict[str, Any] = {
        "s": "BTCUSDT",
        "c": order.client_order_id.value,
        "S": "BUY",
        "o": "LIMIT",
        "f": "GTC",
        "q": f"{ordered.quantity:.3f}",
        "p": f"{ordered.price:.1f}",
        "ap": "0",
        "sp": "0",
        "x": "NEW",
        "X": "NEW",
        "i": 8886774 + number,
        "l": "0",
        "z": "0",
        "L": "0",
        "N": None,
        "n": None,
        "T": 1719319688307,
        "t": 0,
        "b": "0",
        "a": "9.91",
        "m": False,
        "R": False,
        "wt": "CONTRACT_PRICE",
        "ot": "LIMIT",
        "ps": "BOTH",
        "cp": False,
        "pP": False,
        "si": 0,
        "ss": 0,
        "rp": "0",
        "V": "NONE",
        "pm": "NONE",
        "gtd": 0,
        "er": "0",
    }
    told = {key: value for key, value in (data | changes).items() if value is not None}
    return msgspec.json.encode({"e": "ORDER_TRADE_UPDATE", "E": 1719319688307, "T": 1719319688307, "o": told})


def _filled(order: Any, number: int, ordered: Plan, index: int, status: str) -> bytes:
    part, price = ordered.parts[index], f"{ordered.price:.1f}"
    return _order(
        order,
        number,
        ordered,
        x="TRADE",
        X=status,
        ap=price,
        l=f"{part.qty:.3f}",
        z=f"{part.cum_qty:.3f}",
        L=price,
        N="USDT",
        n=f"{part.fee:.8f}",
        t=2 * number + index,
        m=True,
    )


def frames(order: Any, n: int) -> dict[str, bytes]:
    """The three steps of one order's life."""
    ordered = plan(n)
    return {
        "accept": _order(order, n, ordered),
        "partial fill": _filled(order, n, ordered, 0, "PARTIALLY_FILLED"),
        "fill": _filled(order, n, ordered, 1, "FILLED"),
    }


def account_frame() -> bytes:
    """The frame with the balance and the position that the venue sends beside every fill."""
    balance = {"a": "USDT", "wb": "122624.12345678", "cw": "100.12345678", "bc": "0"}
    position = {
        "s": "BTCUSDT",
        "pa": "0.010",
        "ep": "55000.0",
        "bep": "55000.0",
        "cr": "200",
        "up": "0",
        "mt": "cross",
        "iw": "0.00000000",
        "ps": "BOTH",
    }
    told = {"m": "ORDER", "B": [balance], "P": [position]}
    return msgspec.json.encode({"e": "ACCOUNT_UPDATE", "E": 1719319688307, "T": 1719319688307, "a": told})


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
        ordered = plan(n)
        order = framework.limit_order(instrument, ordered.quantity, ordered.price, "BINANCE")
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
