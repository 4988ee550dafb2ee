"""Running a simulated venue inside a process: `simulate`."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from nautilus_orderfeeds.sim.clock import SimClock
from nautilus_orderfeeds.sim.faults import FaultInjector
from nautilus_orderfeeds.sim.ledger import Ledger
from nautilus_orderfeeds.sim.market import Market
from nautilus_orderfeeds.sim.model import SimOrder
from nautilus_orderfeeds.sim.server import Request, SimServer
from nautilus_orderfeeds.sim.venue import SimParts, VenueTwin

_EXPIRY_SECS = 0.02
_DOORS = "nautilus_orderfeeds.venues"


class Simulation:
    """
    A venue on a loopback port; use it with `async with simulate(...)`.

    Parameters
    ----------
    venue : str
        A folder of `nautilus_orderfeeds.venues`, e.g. `"bsx"`.
    seed : int
        Seeds the market, the faults and the credentials.
    port : int
        0 takes a free port.
    host : str
    market_flow : bool
        Whether the background market moves by itself; otherwise it stands until a test moves it.
    initial_book : bool
        Whether the background quotes every product from the start.
    tick_secs : float
        Seconds between two steps of the background market.
    time_ns : Callable[[], int]
        Where the venue's clock takes its time from, UNIX ns.
    **options
        The venue's own switches (the fields of its `...TwinOptions`).

    Attributes
    ----------
    base_url_http, base_url_ws : str
        For the venue's configs; known once it runs.
    ledger : Ledger
        What truly happened.
    market : Market
        Everybody else: `step`, `trade`, `set_mid`, `set_mark`, `book`.
    faults : FaultInjector
        What goes wrong.
    clock : SimClock
        The venue's clock; `advance` moves it forward.
    twin : VenueTwin
        What only this venue has.
    """

    def __init__(
        self,
        venue: str,
        *,
        seed: int = 0,
        port: int = 0,
        host: str = "127.0.0.1",
        market_flow: bool = True,
        initial_book: bool = True,
        tick_secs: float = 0.25,
        time_ns: Callable[[], int] = time.time_ns,
        **options: Any,
    ) -> None:
        self.venue = venue
        self.seed = seed
        self.faults = FaultInjector(seed)
        self.clock = SimClock(time_ns, skew=self.faults.skew_ns)
        self.server = SimServer(self.faults, host, port)
        module = importlib.import_module(f"{_DOORS}.{venue}.twin")
        self.twin: VenueTwin = module.create(
            SimParts(seed=seed, clock=self.clock, faults=self.faults, server=self.server), **options
        )
        self.ledger: Ledger = self.twin.ledger
        self.market: Market = self.twin.market
        self._market_flow = market_flow
        self._tick_secs = tick_secs
        self._tasks: list[asyncio.Task[None]] = []
        if initial_book:
            self.market.flow.open()

    @property
    def base_url_http(self) -> str:
        """The REST base, without a slash at its end."""
        return f"http://{self.server.host}:{self.server.port}"

    @property
    def base_url_ws(self) -> str:
        """The stream URL; for a venue with several streams only scheme, host and port."""
        return f"ws://{self.server.host}:{self.server.port}{self.twin.ws_path}"

    @property
    def requests(self) -> list[Request]:
        """Every REST call so far as (method, path, status); status 0 never got an answer."""
        return self.server.requests

    def credentials(self) -> dict[str, object]:
        """The credential fields of the venue's configs, for the main account."""
        return self.twin.credentials()

    def exec_config(self, **overrides: Any) -> Any:
        """A ready-made execution client config: URLs, credentials, no journal on disk; then `overrides`."""
        return self._config("ExecClientConfig", self.twin.config_fields(), overrides)

    def data_config(self, **overrides: Any) -> Any:
        """A ready-made data client config: URLs and what credentials it takes; then `overrides`."""
        return self._config("DataClientConfig", self.twin.data_config_fields(), overrides)

    def _config(self, suffix: str, fields: dict[str, object], overrides: dict[str, Any]) -> Any:
        # The door imports the framework; a simulation without a framework client must not need it.
        door = importlib.import_module(f"{_DOORS}.{self.venue}")
        config = getattr(door, f"{self.twin.config_prefix}{suffix}")
        offered = {
            "base_url_http": self.base_url_http,
            "base_url_ws": self.base_url_ws,
            "journal": ":memory:",  # a default file would carry the orders of one simulation into the next
            **self.twin.credentials(),
            **fields,
        }
        taken = {key: value for key, value in offered.items() if key in config.__struct_fields__}
        return config(**{**taken, **overrides})

    # -- running --------------------------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        await self.server.start()
        await self.twin.start()
        self._tasks.append(asyncio.create_task(self._expire(), name="sim-expiry"))
        if self._market_flow:
            self._tasks.append(asyncio.create_task(self._flow(), name="sim-flow"))
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        broken = [error for task in self._tasks if task.done() and (error := task.exception()) is not None]
        for task in self._tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await task
        self._tasks.clear()
        await self.twin.stop()
        await self.server.stop()
        broken += self.server.failures
        if exc is None and broken:
            raise BaseExceptionGroup("the simulated venue itself failed", broken)

    def stop_flow(self) -> None:
        """Let the background market stand still from now on (`market.step` still moves it)."""
        for task in self._tasks:
            if task.get_name() == "sim-flow":
                task.cancel()
        self._tasks = [task for task in self._tasks if task.get_name() != "sim-flow"]

    def disconnect_all(self, *, abort: bool = True) -> None:
        """End every WebSocket connection: reset it, or say farewell and close it in order."""
        self.server.disconnect_all(abort=abort)

    def freeze_all(self) -> None:
        """Leave every WebSocket connection half open (until `faults.calm()` ends them)."""
        self.server.freeze_all()

    def pause(self) -> None:
        """Let the venue be down: nothing is accepted; its market and ledger live on."""
        self.server.pause()

    async def resume(self) -> None:
        """Let the venue be up again on the same port."""
        await self.server.resume()

    def place_external(self, product: str, **order: Any) -> SimOrder:
        """Place an order of the main account from elsewhere, e.g. the web app (parameters: the twin's)."""
        return self.twin.place_external(product, **order)

    def cancel_external(self, order: SimOrder | str, **how: Any) -> None:
        """Cancel an order of the main account from elsewhere (parameters: the twin's)."""
        self.twin.cancel_external(order, **how)

    async def _expire(self) -> None:
        while True:
            await asyncio.sleep(_EXPIRY_SECS)
            self.market.expire_due()

    async def _flow(self) -> None:
        while True:
            await asyncio.sleep(self._tick_secs)
            self.market.step()


simulate = Simulation
"""Simulate a venue: `async with simulate("bsx", seed=7) as sim` (`Simulation`)."""
