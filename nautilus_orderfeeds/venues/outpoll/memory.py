"""What is remembered of each order between two readings, since one reading alone proves little (protocol, 12, 13.4)."""

from decimal import Decimal

from msgspec import Struct, field

from nautilus_orderfeeds.orders.decimals import ZERO
from nautilus_orderfeeds.orders.requests import NewOrder, OrderRef
from nautilus_orderfeeds.orders.words import OrderSide, OrderType
from nautilus_orderfeeds.venues.outpoll import assumed


class Calm(Struct):
    """Whether readings have settled: two that agree, both long enough after the last thing heard.

    Parameters
    ----------
    cause : float
        When something was last heard or done, seconds of the clock's `monotonic`.
    seen : object
        What the latest reading showed.
    agreed : float, optional
        When the first reading began that showed this and came late enough.
    """

    cause: float
    seen: object = None
    agreed: float | None = None

    def stir(self, now: float) -> None:
        """Something was heard or done: readings begun before now say nothing about it."""
        self.cause = max(self.cause, now)
        self.agreed = None

    def note(self, seen: object, began: float, settle_secs: float, gap_secs: float) -> bool:
        """Take in what a reading showed; return whether it is settled."""
        if self.seen is not None and seen != self.seen:
            self.stir(began)
        self.seen = seen
        if began < self.cause + settle_secs:
            return False
        if self.agreed is None:
            self.agreed = began
        return began - self.agreed >= gap_secs


class OrderMemory(Struct, kw_only=True, eq=False):
    """One order with a venue id.

    Parameters
    ----------
    venue_order_id : str
        The venue's id.
    client_order_id : str
        Ours.
    terms : NewOrder
        As submitted.
    taken : float
        When the venue's answer came, seconds of the clock's `monotonic`.
    calm : Calm
        Of the readings about it.
    failed, succeeded : bool
        FAILED, SUCCESS was heard.
    failed_cancel : bool
        FAILED was heard after a cancel was asked for.
    cancel_asked : bool
        A cancel was sent and not refused.
    seen_active : bool
        It was in the list of active orders.
    hinted : bool
        Anything was heard of it since it was placed, so that being active does not explain all.
    filled : Decimal, optional
        Cumulative, base units, as far as determined; None: what happened before this process is not known.
    notional : Decimal, optional
        USDC over `filled`; None if not known.
    unpaid_since : float, optional
        Since when it is known to have filled, but not what was paid for it.
    trades : dict
        Trades read, by their id.
    ended : bool
        Its end was told.
    """

    venue_order_id: str
    client_order_id: str
    terms: NewOrder
    taken: float
    calm: Calm
    failed: bool = False
    succeeded: bool = False
    failed_cancel: bool = False
    cancel_asked: bool = False
    seen_active: bool = False
    hinted: bool = False
    filled: Decimal | None = ZERO
    notional: Decimal | None = ZERO
    unpaid_since: float | None = None
    trades: dict[str, assumed.Trade] = field(default_factory=dict)
    ended: bool = False
    complained: bool = False

    @property
    def asset(self) -> str:
        """What it buys or sells."""
        return self.terms.symbol

    @property
    def sign(self) -> int:
        """1 if it brings shares, -1 if it takes them."""
        return 1 if self.terms.side is OrderSide.BUY else -1

    @property
    def is_market_buy(self) -> bool:
        """Whether its quantity is money."""
        return self.terms.quote_quantity

    @property
    def most(self) -> Decimal | None:
        """Shares it may fill at most; None if not known."""
        return None if self.is_market_buy else self.terms.quantity

    @property
    def is_market(self) -> bool:
        """Whether it never rests."""
        return self.terms.type is OrderType.MARKET

    def hear(self, now: float, *, failed: bool) -> None:
        """Take in an ORDER_UPDATE."""
        if failed:
            self.failed_cancel = self.failed_cancel or self.cancel_asked
            self.failed = self.failed or not self.cancel_asked
        else:
            self.succeeded = True
        self.hinted = True
        self.calm.stir(now)


class Intent(Struct, kw_only=True, eq=False):
    """An order sent whose venue id is not known (protocol, 13.3).

    Parameters
    ----------
    terms : NewOrder
        As submitted.
    sent_ns : int
        Before it was sent, UNIX ns.
    under_way : bool
        Its answer may still come.
    calm : Calm
        Of the readings that look for it.
    """

    terms: NewOrder
    sent_ns: int
    calm: Calm
    under_way: bool = False
    complained: bool = False

    @property
    def key(self) -> tuple[object, ...]:
        """What orders that cannot be told apart have in common."""
        terms = self.terms
        return (terms.symbol, terms.side, terms.type, terms.quantity, terms.price, terms.trigger_price)


def memory_of_ref(ref: OrderRef, venue_order_id: str, now: float) -> OrderMemory | None:
    """Remember an order of an earlier run; None if its terms are not known."""
    if ref.terms is None:
        return None
    return OrderMemory(
        venue_order_id=venue_order_id,
        client_order_id=ref.client_order_id,
        terms=ref.terms,
        taken=now,
        calm=Calm(now),
        seen_active=True,
        hinted=True,
        filled=None,
        notional=None,
    )
