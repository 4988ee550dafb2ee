"""The dashboard inside a node: it shows what goes over the bus, ends with the node, and never stops it."""

import asyncio
import socket
from decimal import Decimal
from pathlib import Path

import aiohttp
import pytest
from nautilus_trader.model.enums import OrderSide
from nautilus_trader.trading.strategy import Strategy

from nautilus_orderfeeds.cli.dashboard_actor import DashboardActor, DashboardActorConfig
from nautilus_orderfeeds.orders.lifecycle import Ending
from nautilus_orderfeeds.sim import Side, simulate
from nautilus_orderfeeds.venues.bsx import BsxLiveExecClientFactory
from tests.support.browser import browser, need_browser, texts, until
from tests.support.cli_runs import INSTRUMENT_ID, PRODUCT
from tests.support.nodes import node_config, running_node

pytest.importorskip("nicegui", reason="nicegui is not installed (extra `dashboard`)")


async def test_blotter_of_a_running_node(tmp_path: Path) -> None:
    journal = str(tmp_path / "BSX-001.sqlite")
    async with simulate("bsx", seed=3, market_flow=False) as sim:
        actor = DashboardActor(DashboardActorConfig(port=0, journals=(journal,)))
        strategy = Strategy()
        config = node_config({"BSX": sim.exec_config(journal=journal, requests_per_sec=500)})
        async with running_node(
            config, exec_factories={"BSX": BsxLiveExecClientFactory}, strategies=(strategy,), actors=(actor,)
        ) as run:
            assert actor.url is not None
            instrument = run.cache.instrument(INSTRUMENT_ID)
            price = sim.market.best(PRODUCT)[0] - 100  # type: ignore[operator]
            bid = strategy.order_factory.limit(
                INSTRUMENT_ID, OrderSide.BUY, instrument.make_qty(Decimal("0.02")), instrument.make_price(price)
            )
            strategy.submit_order(bid)
            await run.until(lambda: bid.is_open, "the bid to rest")
            sim.market.trade(PRODUCT, price, "0.02", Side.SELL)
            await run.until(lambda: bid.is_closed, "the fill")
            sim.disconnect_all(abort=True)
            source = actor._source
            assert source is not None
            await run.until(lambda: [f.connects for f in source.blotter.feeds] == [2], "the feed again")
            shown = source.blotter
            (life,) = shown.orders
            (fill,) = shown.fills
            assert (life.client_order_id, life.ending) == (bid.client_order_id.value, Ending.FILLED)
            assert (fill.last_qty, fill.last_px, fill.symbol) == (Decimal("0.02"), price, PRODUCT)
            url = actor.url
            async with aiohttp.ClientSession() as http:
                async with http.get(url) as answer:
                    assert answer.status == 200
                async with http.get(f"{url}timeline?order={life.client_order_id}") as answer:
                    assert life.client_order_id in await answer.text()
            await asyncio.to_thread(_look, url, tmp_path / "profile", life.client_order_id)
            task = actor._task
        assert task is not None
        await asyncio.wait({task}, timeout=10)
        assert task.done()
        async with aiohttp.ClientSession() as http:
            with pytest.raises(aiohttp.ClientConnectorError):
                await http.get(url)


def _look(url: str, profile: Path, client_order_id: str) -> None:
    need_browser()
    with browser(profile) as driver:
        driver.get(url)
        until(lambda: texts(driver, ".orders .w-FILLED") == ["FILLED"], "the order")
        until(lambda: any("BSX orders" in text for text in texts(driver, ".feed")), "the feed")
        until(lambda: any(client_order_id[-5:] in text for text in texts(driver, ".fills tbody tr")), "the fill")


async def test_port_in_use_does_not_stop_the_node() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        actor = DashboardActor(DashboardActorConfig(port=taken.getsockname()[1]))
        async with simulate("bsx", seed=3, market_flow=False) as sim:
            config = node_config({"BSX": sim.exec_config()})
            async with running_node(config, exec_factories={"BSX": BsxLiveExecClientFactory}, actors=(actor,)) as run:
                assert actor.url is None
                assert actor.is_running
                assert "cannot listen" in run.log.tail()


async def test_address_for_other_machines_must_be_allowed() -> None:
    actor = DashboardActor(DashboardActorConfig(host="0.0.0.0", port=0))
    async with simulate("bsx", seed=3, market_flow=False) as sim:
        config = node_config({"BSX": sim.exec_config()})
        async with running_node(config, exec_factories={"BSX": BsxLiveExecClientFactory}, actors=(actor,)) as run:
            assert actor.url is None
            assert "allow_remote" in run.log.tail()
