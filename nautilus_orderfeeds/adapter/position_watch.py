"""Notices when the venue's net position is not the one the framework holds.

The framework's v1 has no event that takes a fill back, and some venues never tell of a trade that was busted: the
order stays as it was told, and only the position gives it away. So does a trade that nobody told of.
"""

from collections.abc import Callable, Collection, Mapping
from decimal import Decimal
from typing import Any

from nautilus_trader.model.identifiers import AccountId
from nautilus_trader.model.identifiers import Venue as NtVenue

from nautilus_orderfeeds.orders.decimals import ZERO, plain
from nautilus_orderfeeds.orders.updates import Position
from nautilus_orderfeeds.venues.base import VenueData

#: `VenueData.kind` of the alert.
POSITION_DIFFERS = "POSITION_DIFFERS"


class PositionWatch:
    """Compares positions after each complete reading of the account.

    Parameters
    ----------
    cache : nautilus_trader.cache.Cache
        The framework's cache.
    nt_venue : Venue
        The framework's venue.
    account_id : AccountId
        Whose positions.
    log : Any
        The framework's logger.
    alert : Callable[[VenueData], None]
        Publishes what was noticed, for a strategy that wants to stand aside.
    """

    def __init__(
        self, *, cache: Any, nt_venue: NtVenue, account_id: AccountId, log: Any, alert: Callable[[VenueData], None]
    ) -> None:
        self._cache = cache
        self._nt_venue = nt_venue
        self._account_id = account_id
        self._log = log
        self._alert = alert
        self._before: dict[str, tuple[Decimal, Decimal]] = {}
        self._fills_before = -1
        self._told: dict[str, tuple[Decimal, Decimal]] = {}

    def compare(
        self, positions: Mapping[str, Position] | None, fills_told: int, unsettled: Collection[str] = ()
    ) -> None:
        """Compare the venue's positions with the framework's.

        A single difference proves nothing, since a fill may be on its way: it counts if two readings in a row show
        the same one and no fill was told in between. Each difference is told once.

        Parameters
        ----------
        positions : Mapping[str, Position], optional
            Non-flat positions of the latest complete reading, by symbol; None if it told none, or none to rely on.
        fills_told : int
            How many fills have been told so far.
        unsettled : Collection[str]
            Symbols of which fills are known that wait for their trades.
        """
        if positions is None:
            self._before = {}  # what two readings in a row show must be in a row
            return
        held: dict[str, Decimal] = {}
        for position in self._cache.positions_open(venue=self._nt_venue, account_id=self._account_id):
            symbol = position.instrument_id.symbol.value
            held[symbol] = held.get(symbol, ZERO) + position.signed_decimal_qty()
        differing: dict[str, tuple[Decimal, Decimal]] = {}
        for symbol in held.keys() | positions.keys():
            venue_qty = positions[symbol].signed_qty if symbol in positions else ZERO
            if venue_qty != held.get(symbol, ZERO) and symbol not in unsettled:
                differing[symbol] = (venue_qty, held.get(symbol, ZERO))
        stands_still = fills_told == self._fills_before
        for symbol, pair in differing.items():
            if stands_still and self._before.get(symbol) == pair and self._told.get(symbol) != pair:
                self._told[symbol] = pair
                self._tell(symbol, *pair)
        self._told = {symbol: pair for symbol, pair in self._told.items() if symbol in differing}
        self._before, self._fills_before = differing, fills_told

    def _tell(self, symbol: str, venue_qty: Decimal, held_qty: Decimal) -> None:
        self._log.error(
            f"Venue position in {symbol} is {plain(venue_qty)}, but the framework holds {plain(held_qty)}: a trade was "
            "taken back at the venue, or one was never told of. Compare the order history (`orderfeeds timeline`) with "
            "the venue's; with `position_check_interval_secs` the engine takes over the venue's position",
        )
        data = {"symbol": symbol, "venue_qty": plain(venue_qty), "framework_qty": plain(held_qty)}
        self._alert(VenueData(kind=POSITION_DIFFERS, data=data, symbol=symbol))
