"""What the shared room asks of a venue's twin."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

from nautilus_orderfeeds.sim.clock import SimClock
from nautilus_orderfeeds.sim.faults import FaultInjector
from nautilus_orderfeeds.sim.ledger import Ledger
from nautilus_orderfeeds.sim.market import Market
from nautilus_orderfeeds.sim.model import SimOrder
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
    `create(parts: SimParts, **options) -> VenueTwin`; the twin adds its routes to the server in its
    constructor and has its ledger and market ready.

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

    @abstractmethod
    def credentials(self) -> dict[str, object]:
        """The credential fields of the venue's configs, for the main account."""

    def config_fields(self) -> dict[str, object]:
        """Further config fields without which a client could not use this twin."""
        return {}

    def data_config_fields(self) -> dict[str, object]:
        """The same for the data client, where a venue's prices come from elsewhere than its order stream."""
        return self.config_fields()

    @abstractmethod
    async def start(self) -> None:
        """Begin whatever runs by the clock; the server is listening already."""

    @abstractmethod
    async def stop(self) -> None:
        """End what `start` began."""

    @abstractmethod
    def place_external(self, *args: Any, **kwargs: Any) -> SimOrder:
        """Place an order from elsewhere, e.g. the web app; product first, the rest in the venue's own words."""

    @abstractmethod
    def cancel_external(self, *args: Any, **kwargs: Any) -> None:
        """Cancel an order (or its key) from elsewhere."""
