"""What the twins of all venues have in common, and what the shared room asks of each."""

from __future__ import annotations

import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

from nautilus_orderfeeds.sim.clock import SimClock
from nautilus_orderfeeds.sim.connection import Connection
from nautilus_orderfeeds.sim.faults import FaultInjector
from nautilus_orderfeeds.sim.flow import FlowSettings
from nautilus_orderfeeds.sim.later import Later
from nautilus_orderfeeds.sim.ledger import Ledger
from nautilus_orderfeeds.sim.market import Market
from nautilus_orderfeeds.sim.model import EndReason, Fee, Liquidity, Product, SimOrder
from nautilus_orderfeeds.sim.server import SimServer


@dataclass(frozen=True, slots=True)
class SimParts:
    """What every simulation has before its venue is known."""

    seed: int
    clock: SimClock
    faults: FaultInjector
    server: SimServer


class VenueTwin(ABC):
    """
    A venue's documented protocol over the shared market, ledger and server.

    A venue's module `nautilus_orderfeeds.venues.<name>.twin` has a function
    `create(parts: SimParts, **options) -> VenueTwin`; the twin opens its accounts and adds its routes to the
    server in its constructor.

    Parameters
    ----------
    parts : SimParts
    products : Iterable[Product]
        What is traded.
    flow : FlowSettings, optional
        How the background trades.

    Attributes
    ----------
    config_prefix : str
        The venue's door exports `<prefix>ExecClientConfig` and `<prefix>DataClientConfig`.
    ws_path : str
        Path of the stream; empty for a venue with several, whose clients add the paths themselves.
    """

    config_prefix: ClassVar[str]
    ws_path: ClassVar[str] = "/ws"

    ledger: Ledger
    market: Market

    def __init__(self, parts: SimParts, products: Iterable[Product], flow: FlowSettings | None = None) -> None:
        products = list(products)
        self.ledger = Ledger(products)
        self.market = Market(products, self.ledger, parts.clock, self._fee, parts.seed, flow)
        self._clock = parts.clock
        self._server = parts.server
        self._later = Later(parts.server.failures)
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    @abstractmethod
    def credentials(self) -> dict[str, object]:
        """The credential fields of the venue's configs, for the main account."""

    def config_fields(self) -> dict[str, object]:
        """Further config fields without which a client could not use this twin."""
        return {}

    def data_config_fields(self) -> dict[str, object]:
        """The same for the data client, where a venue's prices come from elsewhere than its order stream."""
        return self.config_fields()

    async def start(self) -> None:
        """Begin whatever runs by the clock; the server is listening already."""
        return

    async def stop(self) -> None:
        """End everything that is still to come, and remove the files that were written for configs."""
        self._later.stop()
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None

    @abstractmethod
    def place_external(self, *args: Any, **kwargs: Any) -> SimOrder:
        """Place an order from elsewhere, e.g. the web app; product first, the rest in the venue's own words."""

    def cancel_external(self, order: SimOrder | str, *, reason: EndReason = EndReason.USER) -> None:
        """
        Cancel an order from elsewhere.

        Parameters
        ----------
        order : SimOrder or str
            The order, or a key of it (`Ledger.order`) in the main account.
        reason : EndReason
            `USER` asks for it as the venue's web app does; for another reason, e.g. `ADMIN`, it ends at once.
        """
        found = self._order(order)
        if reason is EndReason.USER:
            self._request_cancel(found)
        else:
            self.market.cancel(found, reason)

    # -- for twins ------------------------------------------------------------------------------------------

    @abstractmethod
    def _fee(self, order: SimOrder, price: Decimal, size: Decimal, liquidity: Liquidity) -> Fee:
        """What a fill costs (`FeeRule`)."""

    def _request_cancel(self, order: SimOrder) -> None:
        """Let the user ask for the end of an order; by default it is done at once."""
        self.market.cancel(order)

    def _order(self, order: SimOrder | str) -> SimOrder:
        """An order, given as such or by a key of it (`Ledger.order`) in the main account."""
        return order if isinstance(order, SimOrder) else self.ledger.order(order)

    def _connections(self) -> list[Connection]:
        """Everybody connected now, in the sequence in which they came."""
        return list(self._server.connections)

    def _config_file(self, name: str) -> Path:
        """Where to write a file that a config names; it goes when the simulation ends."""
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="simulated-venue-", ignore_cleanup_errors=True)
        return Path(self._folder.name) / name
