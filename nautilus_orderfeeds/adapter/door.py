"""A venue's framework side: only names, account kind, and how to make its objects from a config."""

from collections.abc import Callable
from typing import Any

from msgspec import Struct
from nautilus_trader.model.enums import AccountType, OmsType
from nautilus_trader.model.identifiers import Venue as NtVenue

from nautilus_orderfeeds.feed.clock import Clock, LiveClock
from nautilus_orderfeeds.venues.base import MarketFeed, Venue
from nautilus_orderfeeds.venues.capabilities import Capabilities


class Door(Struct, frozen=True, kw_only=True):
    """What the generic clients need of a venue.

    Parameters
    ----------
    name : str
        Upper-case name, also the framework's venue and default client id.
    account_type : AccountType
        CASH or MARGIN.
    base_currency : str, optional
        Currency code of a single-currency account.
    make_venue, make_market : Callable
        Make the venue's objects from its exec or data config.
    capabilities : Capabilities
        For the docs and ``orderfeeds venues``.
    environments : tuple[str, ...]
        Values of the config field `environment`.
    calculates_balances : bool
        The venue tells no balances: the framework calculates them, from the configured ones and the fills.
    """

    name: str
    account_type: AccountType
    make_venue: Callable[[Any], Venue]
    make_market: Callable[[Any], MarketFeed]
    capabilities: Capabilities
    base_currency: str | None = None
    oms_type: OmsType = OmsType.NETTING
    environments: tuple[str, ...] = ("live",)
    calculates_balances: bool = False
    clock: Clock = LiveClock()

    @property
    def venue(self) -> NtVenue:
        """The framework's venue."""
        return NtVenue(self.name)
