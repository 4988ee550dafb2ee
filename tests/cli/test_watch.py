"""`orderfeeds watch`: the blotter of a simulated venue over sockets, of a journal being written, and its keys."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from textual.widgets import DataTable, Static

from nautilus_orderfeeds.cli import cli
from nautilus_orderfeeds.cli.console import CliError
from nautilus_orderfeeds.cli.watch_app import WatchApp
from nautilus_orderfeeds.cli.watch_journal import JournalSource
from nautilus_orderfeeds.cli.watch_model import Filter, px_text
from nautilus_orderfeeds.cli.watch_venue import VenueSource
from nautilus_orderfeeds.orders import events as ev
from nautilus_orderfeeds.orders.journal import Journal
from nautilus_orderfeeds.orders.lifecycle import Phase
from nautilus_orderfeeds.orders.requests import NewOrder
from nautilus_orderfeeds.orders.words import OrderSide, OrderType, TimeInForce
from nautilus_orderfeeds.sim import Side, Simulation, simulate
from nautilus_orderfeeds.venues import registry
from tests.support.cli_runs import lines, run_command, simulated_bsx
from tests.support.lifecycles import blank, fill

D = Decimal


async def until(condition: Callable[[], Any], what: str, secs: float = 20.0) -> None:
    try:
        async with asyncio.timeout(secs):
            while not condition():
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise AssertionError(f"waited {secs} s for {what}") from None


def place(sim: Simulation, side: Side = Side.BUY, ticks: int = 5) -> Any:
    """Enter an order elsewhere, away from the market."""
    product = next(iter(sim.market.products.values()))
    bid, ask = sim.market.best(product.symbol)
    assert bid is not None
    assert ask is not None
    price = bid - product.tick * ticks if side is Side.BUY else ask + product.tick * ticks
    return sim.place_external(product.symbol, side=side, size=str(product.min_size * 10), price=str(price))


def fill_it(sim: Simulation, order: Any) -> None:
    other = Side.SELL if order.side is Side.BUY else Side.BUY
    sim.market.trade(order.product, order.price, order.quantity, other)


@asynccontextmanager
async def watched(venue: str) -> AsyncIterator[tuple[Simulation, VenueSource]]:
    async with simulate(venue, seed=3, market_flow=False) as sim:
        source = VenueSource(registry.load(venue), sim.exec_config())
        await source.start()
        try:
            yield sim, source
        finally:
            await source.stop()


def cells(app: WatchApp, table: str) -> list[list[str]]:
    found = app.query_one(table, DataTable)
    return [[str(cell) for cell in found.get_row_at(n)] for n in range(found.row_count)]


def head(app: WatchApp) -> str:
    return str(app.query_one("#head", Static).render())


# -- a venue -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("venue", ["bsx", "roxom", "sfox"])
async def test_orders_and_fills_of_a_venue(venue: str) -> None:
    async with simulate(venue, seed=3, market_flow=False) as sim:
        before = place(sim)
        source = VenueSource(registry.load(venue), sim.exec_config())
        await source.start()
        try:
            assert await source.settled(20)
            await until(lambda: source.poll() and source.blotter.orders, "the order that was there before")
            after = place(sim, Side.SELL)
            await until(lambda: source.poll() and len(source.blotter.orders) == 2, "the new order")
            fill_it(sim, before)
            await until(lambda: source.poll() and source.blotter.fills, "the fill")
            await until(lambda: [o.is_completed for o in source.blotter.orders] == [False, True], "the end")
            shown = source.blotter
            assert [order.venue_order_id for order in shown.orders] == [after.venue_order_id, before.venue_order_id]
            assert shown.orders[1].filled_qty == before.quantity
            assert sum(f.last_qty for f in shown.fills) == before.quantity
            assert {feed.state for feed in shown.feeds} == {"LIVE"}
            assert {request.method for request in sim.requests} <= {"GET"}  # it reads only
        finally:
            await source.stop()


async def test_what_happened_while_the_connection_was_down_is_seen() -> None:
    async with watched("bsx") as (sim, source):
        assert await source.settled(20)
        order = place(sim)
        await until(lambda: source.poll() and source.blotter.orders, "the order")
        sim.disconnect_all(abort=True)
        fill_it(sim, order)
        await until(lambda: source.poll() and source.blotter.fills, "the fill")
        (life,) = source.blotter.orders
        assert life.is_completed
        assert source.blotter.feeds[0].connects == 2


async def test_refused_credentials_are_told() -> None:
    async with simulate("bsx", seed=3, market_flow=False) as sim:
        source = VenueSource(registry.load("bsx"), sim.exec_config(api_key="wrong", api_secret="wrong"))
        told = ""
        try:
            await source.start()
            assert not await source.settled(20)
            told = " ".join(source.blotter.notes)
        except CliError as e:
            told = e.message
        finally:
            await source.stop()
        assert "BSX" in told
        assert "wrong" not in told  # no secret in it


# -- the screen --------------------------------------------------------------------------------------------------------


async def test_screen_and_its_keys() -> None:
    async with watched("bsx") as (sim, source):
        assert await source.settled(20)
        buy, sell = place(sim), place(sim, Side.SELL)
        app = WatchApp(source, Filter())
        async with app.run_test(size=(120, 30)) as pilot:
            await until(lambda: len(cells(app, "#orders")) == 2, "both orders")
            assert "BSX orders LIVE" in head(app)
            fill_it(sim, buy)
            await until(lambda: len(cells(app, "#fills")) == 1, "the fill")
            (fill_row,) = cells(app, "#fills")
            assert fill_row[2:6] == ["BTC-PERP", "BUY", "0.01", px_text(buy.price)]
            sides = [row[4] for row in cells(app, "#orders")]
            assert sides == ["SELL", "BUY"]  # what is open comes first
            assert [row[2] for row in cells(app, "#orders")] == ["ACCEPTED", "FILLED"]
            assert [row[6] for row in cells(app, "#orders")] == ["0 (0%)", "0.01 (100%)"]

            await pilot.press("o")
            assert [row[4] for row in cells(app, "#orders")] == ["SELL"]
            assert "open only" in head(app)
            await pilot.press("s")
            assert cells(app, "#orders") == []
            assert len(cells(app, "#fills")) == 1
            await pilot.press("s", "o")
            assert [row[4] for row in cells(app, "#orders")] == ["SELL"]
            assert cells(app, "#fills") == []
            await pilot.press("c")
            assert len(cells(app, "#orders")) == 2
            await pilot.press("slash", *"eth", "enter")
            assert (app.wanted.instrument, cells(app, "#orders")) == ("eth", [])
            await pilot.press("slash", "escape")
            assert app.wanted.instrument == "eth"
            await pilot.press("c", "p")
            assert "PAUSED" in head(app)
            sim.cancel_external(sell)
            await until(lambda: all(life.is_completed for life in source.blotter.orders), "the cancel")
            await pilot.pause(0.6)
            assert [row[2] for row in cells(app, "#orders")] == ["ACCEPTED", "FILLED"]  # the picture stands still
            await pilot.press("p")
            await until(lambda: sorted(r[2] for r in cells(app, "#orders")) == ["CANCELED", "FILLED"], "going on")
            drawn = app.export_screenshot()
            assert drawn.startswith("<svg")
            assert "CANCELED" in drawn
            await pilot.press("q")
        assert not app.is_running


async def test_screen_tells_of_a_feed_that_is_down() -> None:
    async with watched("bsx") as (sim, source):
        assert await source.settled(20)
        app = WatchApp(source, Filter())
        async with app.run_test(size=(100, 24)):
            sim.pause()
            sim.disconnect_all(abort=True)
            await until(lambda: "CONNECTING" in head(app), "the loss of the connection")
            await sim.resume()
            await until(lambda: "BSX orders LIVE" in head(app), "the feed again")
            assert "connects 2" in head(app)


@pytest.mark.parametrize("width", [200, 60])
async def test_screen_of_any_width_shows_its_keys(tmp_path: Path, width: int) -> None:
    source = JournalSource(written(tmp_path)[1])
    await source.start()
    app = WatchApp(source, Filter())
    async with app.run_test(size=(width, 30)):
        assert len(cells(app, "#orders")) == 2
        assert "PENDING" not in head(app)


# -- a journal ---------------------------------------------------------------------------------------------------------


def terms(client_order_id: str, side: OrderSide = OrderSide.BUY) -> NewOrder:
    return NewOrder(
        client_order_id=client_order_id,
        symbol="BTCUSD",
        side=side,
        type=OrderType.LIMIT,
        time_in_force=TimeInForce.GTC,
        quantity=D(10),
        price=D(100),
        strategy_id="S-001",
    )


def written(folder: Path) -> tuple[Journal, Path]:
    """A journal that is still open: an order part-filled, one in flight."""
    path = folder / "SFOX-001.sqlite"
    journal = Journal(str(path), "SFOX-001")
    for n, events in enumerate(
        ([ev.OrderSubmitted(), ev.OrderAccepted(venue_order_id="V1"), fill("4", cum="4")], [ev.OrderSubmitted()])
    ):
        journal.record_intent(terms(f"O-{n}"), (), 10 + n)
        for k, event in enumerate(events):
            journal.append_event(f"O-{n}", event, 100 * n + k + 20)
    journal.append_frame("SFOX", b"{}", 500)
    journal.append_frame("SFOX", b"?", 600, fault="no JSON")
    journal.flush()
    return journal, path


async def test_journal_is_followed_while_it_is_written(tmp_path: Path) -> None:
    journal, path = written(tmp_path)
    source = JournalSource(path)
    await source.start()
    assert not source.poll()
    first = source.blotter
    assert [(o.client_order_id, o.phase, o.filled_qty) for o in first.orders] == [
        ("O-1", Phase.IN_FLIGHT, 0),
        ("O-0", Phase.ACTIVE, 4),
    ]
    assert [(f.last_qty, f.recorded_ns) for f in first.fills] == [(4, 22)]
    (feed,) = first.feeds
    assert (feed.name, feed.state, feed.malformed_frames, feed.last_frame_ns) == ("SFOX", "JOURNAL", 1, 600)
    assert first.account == "SFOX-001"
    journal.append_event("O-0", fill("6", cum="10"), 900)
    journal.flush()
    assert source.poll()
    assert [o.client_order_id for o in source.blotter.orders if o.is_completed] == ["O-0"]
    assert [f.last_qty for f in source.blotter.fills] == [6, 4]
    assert not source.poll()
    journal.close()
    source.poll()
    assert len(source.blotter.orders) == 2


async def test_journal_that_goes_away_is_told_and_the_last_picture_stays(tmp_path: Path) -> None:
    journal, path = written(tmp_path)
    source = JournalSource(path)
    await source.start()
    journal.close()
    path.rename(tmp_path / "elsewhere.sqlite")
    assert source.poll()
    assert "there is no journal" in source.blotter.notes[0]
    assert len(source.blotter.orders) == 2
    (tmp_path / "elsewhere.sqlite").rename(path)
    assert source.poll()
    assert source.blotter.notes == []


# -- the command -------------------------------------------------------------------------------------------------------


def test_once_as_json_from_a_venue() -> None:
    with simulated_bsx("--no-flow") as sim:
        shown = run_command("watch", "bsx", "--once", "--json", *sim.urls, env=sim.variables)
    assert shown.returncode == 0, shown.stderr
    told = json.loads(shown.stdout)
    assert (told["complete"], told["account"], told["orders"]) == (True, "BSX-001", [])
    assert [(feed["name"], feed["state"]) for feed in told["feeds"]] == [("BSX orders", "LIVE")]
    assert shown.stderr == ""


def test_once_from_a_journal(tmp_path: Path) -> None:
    journal, path = written(tmp_path)
    told = json.loads(CliRunner().invoke(cli, ["watch", "--journal", str(path), "--json"]).stdout)
    assert [(o["client_order_id"], o["phase"], o["fill_percent"]) for o in told["orders"]] == [
        ("O-1", "IN_FLIGHT", "0"),
        ("O-0", "ACTIVE", "40"),
    ]
    assert told["fills"][0]["last_qty"] == "4"
    shown = CliRunner().invoke(cli, ["watch", "--journal", str(path), "--once"])
    assert shown.exit_code == 0
    assert lines(shown.stdout, "SUBMITTED?", "O-1")
    assert lines(shown.stdout, "1 fills, the last 4 @ 100")
    none = CliRunner().invoke(cli, ["watch", "--journal", str(path), "--json", "--side", "sell"])
    assert json.loads(none.stdout)["orders"] == json.loads(none.stdout)["fills"] == []
    journal.close()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "name a VENUE, or the --journal of a node"),
        (["bsx", "--journal", "x"], "name a VENUE, or the --journal of a node"),
        (["bsx"], "the live blotter needs a terminal; elsewhere use --once or --json"),
        (["--journal", "none.sqlite", "--once"], "there is no journal none.sqlite"),
        (["nowhere", "--once"], "no venue 'nowhere'"),
    ],
)
def test_wrong_use_is_told(arguments: list[str], said: str) -> None:
    shown = CliRunner().invoke(cli, ["watch", *arguments])
    assert shown.exit_code == 2
    assert said in shown.stderr


def test_venue_that_is_not_there_ends_with_a_line() -> None:
    urls = ("--base-url-http", "http://127.0.0.1:9", "--base-url-ws", "ws://127.0.0.1:9/ws")
    secrets = {"BSX_API_KEY": "k", "BSX_API_SECRET": "s", "BSX_SIGNER_KEY": f"0x{'11' * 32}"}
    shown = run_command("watch", "bsx", "--json", *urls, env=secrets)
    assert shown.returncode == 2
    assert "error: cannot watch BSX: " in shown.stderr
    assert "Traceback" not in shown.stderr


# -- the filter --------------------------------------------------------------------------------------------------------


def test_filter() -> None:
    life = blank(symbol="BTC-PERP")
    assert Filter("btc").takes(life)
    assert Filter(side=OrderSide.BUY, open_only=True).takes(life)
    assert not Filter("eth").takes(life)
    assert not Filter(side=OrderSide.SELL).takes(life)
    life.note(ev.OrderDenied(reason="no"), 5)
    assert Filter().takes(life)
    assert not Filter(open_only=True).takes(life)


@pytest.mark.parametrize(
    ("px", "text"),
    [
        (None, ""),
        ("64638.2", "64638.2"),
        ("0.123456789012345", "0.123456789"),
        ("1234567890123.5", "1234567890124"),
        ("0.00000001234", "0.00000001234"),
    ],
)
def test_prices_are_rounded_and_never_cut(px: str | None, text: str) -> None:
    assert px_text(None if px is None else D(px)) == text
