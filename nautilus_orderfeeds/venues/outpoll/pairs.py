"""Pairs of a take-profit and a stop-loss: one entry at the venue, two orders here (protocol, 5.5).

Here an entry ``<id>`` is two orders with the ids ``<id>:TP`` and ``<id>:SL``.
"""

from collections.abc import Sequence
from math import inf
from typing import Final

from msgspec import Struct

from nautilus_orderfeeds.feed.clock import Clock
from nautilus_orderfeeds.orders.requests import Accepted, Denied, NewOrder, OrderRef, Outcome, Refused
from nautilus_orderfeeds.orders.words import ContingencyType, OrderSide, OrderType
from nautilus_orderfeeds.venues.outpoll import wire
from nautilus_orderfeeds.venues.outpoll.memory import Calm
from nautilus_orderfeeds.venues.outpoll.queries import time_ns
from nautilus_orderfeeds.venues.outpoll.settings import OutpollSettings
from nautilus_orderfeeds.venues.outpoll.signing import CLOCKS_NS
from nautilus_orderfeeds.venues.outpoll.wallet import Wallet
from nautilus_orderfeeds.venues.outpoll.words import VENUE

TAKE_PROFIT: Final = ":TP"
STOP_LOSS: Final = ":SL"
_SUFFIXES: Final = (TAKE_PROFIT, STOP_LOSS)


class Pair(Struct, kw_only=True, eq=False):
    """One entry at the venue and the two orders it stands for; a restored one may lack a leg.

    Parameters
    ----------
    tpsl_id : str
        The venue's id; empty as long as it is not known.
    calm : Calm
        Of the readings about it.
    placed_ns : int
        When it was placed, UNIX ns.
    take_profit, stop_loss : NewOrder, optional
        Terms of the legs.
    under_way : bool
        The answer to its placing may still come.
    live_at : float
        When the latest reading began that listed it as live, seconds of the clock's `monotonic`.
    closing_id : str
        The venue's id of the order that it became; empty if it became none, or none that is known.
    ended : bool
        Its end was told.
    complained : bool
        It was told that it cannot be told from others.
    """

    tpsl_id: str = ""
    calm: Calm
    placed_ns: int
    take_profit: NewOrder | None = None
    stop_loss: NewOrder | None = None
    under_way: bool = False
    live_at: float = -inf
    closing_id: str = ""
    ended: bool = False
    complained: bool = False

    @property
    def terms(self) -> NewOrder:
        """Of either leg."""
        terms = self.take_profit or self.stop_loss
        assert terms is not None
        return terms

    @property
    def legs(self) -> list[tuple[str, NewOrder]]:
        """Venue id and terms of each leg."""
        both = ((TAKE_PROFIT, self.take_profit), (STOP_LOSS, self.stop_loss))
        return [(self.tpsl_id + suffix, leg) for suffix, leg in both if leg is not None]


def entry_of(venue_order_id: str) -> str | None:
    """Return the venue's own id of a leg's; None if it is no leg's."""
    return venue_order_id[:-3] if venue_order_id.endswith(_SUFFIXES) else None


def closes(pair: Pair, row: wire.HistoryOrder) -> bool:
    """Whether an order nobody here has placed may be what closed the position of `pair`."""
    terms = pair.terms
    is_newer = time_ns(row) == 0 or time_ns(row) >= pair.placed_ns - CLOCKS_NS
    return row.a == terms.symbol and row.si.upper() == OrderSide.SELL.name and row.oq == terms.quantity and is_newer


def pair_of(orders: Sequence[NewOrder]) -> tuple[NewOrder, NewOrder]:
    """Return (take-profit, stop-loss) of a list.

    Raises
    ------
    Denied
        If the list is no such pair.
    """
    expected = "expected an OCO pair of one LIMIT SELL (take-profit) and one STOP_MARKET SELL (stop-loss)"
    if len(orders) != 2 or any(o.contingency_type is not ContingencyType.OCO for o in orders):
        raise Denied(f"{VENUE} cannot do this list: {expected}")
    by_type = {order.type: order for order in orders}
    take_profit, stop_loss = by_type.get(OrderType.LIMIT), by_type.get(OrderType.STOP_MARKET)
    if take_profit is None or stop_loss is None or any(o.side is not OrderSide.SELL for o in orders):
        raise Denied(f"{VENUE} cannot do this list: {expected}")
    if take_profit.symbol != stop_loss.symbol or take_profit.quantity != stop_loss.quantity:
        raise Denied(f"{VENUE} cannot do this list: both orders must close the same quantity of one instrument")
    assert take_profit.price is not None
    assert stop_loss.trigger_price is not None
    if take_profit.price <= stop_loss.trigger_price:
        raise Denied("the take-profit price must be above the stop-loss price")
    return take_profit, stop_loss


class Pairs:
    """All pairs of one account.

    Parameters
    ----------
    settings : OutpollSettings
        Settle times.
    clock : Clock
        Source of time.
    """

    def __init__(self, settings: OutpollSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._pairs: list[Pair] = []

    def open(self) -> list[Pair]:
        """Return those that have not ended."""
        return [pair for pair in self._pairs if not pair.ended]

    def closing_ids(self) -> set[str]:
        """Return the ids of the orders that pairs became."""
        return {pair.closing_id for pair in self._pairs if pair.closing_id}

    def find(self, tpsl_id: str | None) -> Pair | None:
        """Return the pair of an entry."""
        return next((pair for pair in self._pairs if tpsl_id and pair.tpsl_id == tpsl_id), None)

    def sending(self, take_profit: NewOrder, stop_loss: NewOrder) -> Pair:
        """Note a pair before it is sent."""
        pair = Pair(
            calm=Calm(self._clock.monotonic()),
            placed_ns=self._clock.time_ns(),
            take_profit=take_profit,
            stop_loss=stop_loss,
            under_way=True,
        )
        self._pairs.append(pair)
        return pair

    def sent(self, pair: Pair, outcome: Outcome | None) -> None:
        """Note how sending ended; None: no answer was waited for."""
        pair.under_way = False
        pair.calm.stir(self._clock.monotonic())
        if isinstance(outcome, Accepted) and outcome.venue_order_id is not None:
            pair.tpsl_id = outcome.venue_order_id
        elif isinstance(outcome, Refused):
            self._pairs.remove(pair)

    def remember(self, ref: OrderRef) -> bool:
        """Take up a leg of an earlier run; return whether `ref` is a leg at all."""
        tpsl_id = entry_of(ref.venue_order_id or "")
        is_leg = ref.terms is not None and ref.terms.contingency_type is ContingencyType.OCO
        if ref.terms is None or not (is_leg or tpsl_id) or (ref.venue_order_id is not None and tpsl_id is None):
            return False  # a leg that has fired is an order like any other
        pair = self.find(tpsl_id) or self._unnamed(ref.terms)
        if pair is None:
            calm = Calm(self._clock.monotonic())
            pair = Pair(tpsl_id=tpsl_id or "", calm=calm, placed_ns=ref.created_ns)
            self._pairs.append(pair)
        if ref.terms.type is OrderType.LIMIT:
            pair.take_profit = pair.take_profit or ref.terms
        else:
            pair.stop_loss = pair.stop_loss or ref.terms
        return True

    def _unnamed(self, terms: NewOrder) -> Pair | None:
        """Return the pair without an id that `terms` is of."""
        return next(
            (p for p in self._pairs if not p.tpsl_id and p.terms.order_list_id == terms.order_list_id and not p.ended),
            None,
        )

    def may_have_fired(self, wallet: Wallet) -> set[str]:
        """Return the assets of which a change of shares may be that of a take-profit or stop-loss."""
        settle_secs = self._settings.read_settle_secs
        symbols = [(pair, pair.terms.symbol) for pair in self.open()]
        return {symbol for pair, symbol in symbols if pair.live_at < wallet.changed_at(symbol) + settle_secs}
