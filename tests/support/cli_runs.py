"""For tests of the `orderfeeds` command: processes, and one short real run against simulated BSX."""

import asyncio
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

from nautilus_trader.model.enums import OrderSide
from nautilus_trader.model.identifiers import AccountId, InstrumentId
from nautilus_trader.trading.strategy import Strategy

from nautilus_orderfeeds.sim import Side, Simulation, simulate
from nautilus_orderfeeds.venues.bsx import BsxLiveExecClientFactory
from tests.support.nodes import node_config, running_node

COMMAND = (sys.executable, "-m", "nautilus_orderfeeds.cli")
PRODUCT = "BTC-PERP"
INSTRUMENT_ID = InstrumentId.from_str(f"{PRODUCT}.BSX")
ACCOUNT_ID = AccountId("BSX-001")


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """This process's environment without any credential of a venue, and with `extra`."""
    kept = {
        name: value for name, value in os.environ.items() if not re.match(r"(BSX|ACTTRADER|SFOX|ROXOM|OUTPOLL)_", name)
    }
    return {**kept, **(extra or {})}


def run_command(
    *arguments: str, env: Mapping[str, str] | None = None, secs: float = 60.0
) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own, as from a shell whose output is piped."""
    return subprocess.run(
        [*COMMAND, *arguments], capture_output=True, text=True, timeout=secs, env=environment(env), check=False
    )


class SimProcess(NamedTuple):
    """A simulated venue in a process of its own."""

    process: "subprocess.Popen[str]"
    http: str
    ws: str
    credentials: dict[str, str]

    @property
    def variables(self) -> dict[str, str]:
        """The credentials as environment variables."""
        return {f"BSX_{name.upper()}": value for name, value in self.credentials.items()}

    @property
    def urls(self) -> tuple[str, ...]:
        """The options that point the command to it."""
        return ("--base-url-http", self.http, "--base-url-ws", self.ws)


@contextmanager
def simulated_bsx(*options: str) -> Iterator[SimProcess]:
    """Run `orderfeeds simulate bsx --json` until the block ends."""
    process = subprocess.Popen(
        [*COMMAND, "simulate", "bsx", "--json", *options], stdout=subprocess.PIPE, text=True, env=environment()
    )
    try:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        yield SimProcess(process, told["base_url_http"], told["base_url_ws"], told["credentials"])
    finally:
        process.terminate()
        process.wait(20)
        process.stdout.close()  # type: ignore[union-attr]


class ShortRun(NamedTuple):
    """What is left of a short run: the venue's simulation (stopped) and the framework's cache."""

    sim: Simulation
    cache: Any
    part_filled: str
    """Client order id: a bid that was filled in two parts, then cancelled."""
    at_market: str
    """Client order id: a market order."""


async def short_run(journal: Path, during: Callable[[], None] = lambda: None, **fields: Any) -> ShortRun:
    """Trade a little against simulated BSX: a bid filled in two parts and cancelled, and a market order.

    `during` is called while the node runs and everything has settled; `fields` are further ones of the exec config.
    """
    async with simulate("bsx", seed=3, market_flow=False) as sim:
        strategy = Strategy()
        config = node_config({"BSX": sim.exec_config(journal=str(journal), requests_per_sec=500, **fields)})
        async with running_node(
            config, exec_factories={"BSX": BsxLiveExecClientFactory}, strategies=(strategy,)
        ) as run:
            instrument = run.cache.instrument(INSTRUMENT_ID)
            price = sim.market.best(PRODUCT)[0] - 100  # type: ignore[operator]
            bid = strategy.order_factory.limit(
                INSTRUMENT_ID, OrderSide.BUY, instrument.make_qty(Decimal("0.04")), instrument.make_price(price)
            )
            strategy.submit_order(bid)
            await run.until(lambda: bid.is_open, "the bid to rest")
            for size in ("0.01", "0.02"):
                before = bid.filled_qty
                sim.market.trade(PRODUCT, price, size, Side.SELL)
                await run.until(lambda before=before: bid.filled_qty > before, "a fill")
            strategy.cancel_order(bid)
            await run.until(lambda: bid.is_closed, "the cancel")
            sell = strategy.order_factory.market(INSTRUMENT_ID, OrderSide.SELL, instrument.make_qty(Decimal("0.03")))
            strategy.submit_order(sell)
            await run.until(lambda: sell.is_closed, "the market order to fill")
            account = run.cache.account(ACCOUNT_ID)
            await run.until(
                lambda: account.balances_total()[account.base_currency].as_decimal() == _shown(sim), "the balance"
            )
            during()
        return ShortRun(sim, run.cache, bid.client_order_id.value, sell.client_order_id.value)


def _shown(sim: Simulation) -> Decimal:
    return sim.ledger.balance("USDC").quantize(Decimal("1e-8"))


def run_short(journal: Path, during: Callable[[], None] = lambda: None, **fields: Any) -> ShortRun:
    """Do a `short_run` from a test that is no coroutine."""
    return asyncio.run(short_run(journal, during, **fields))


def lines(text: str, *needles: str) -> Sequence[str]:
    """Return the lines of `text` that have all of `needles` in them."""
    return [line for line in text.splitlines() if all(needle in line for needle in needles)]
