"""
The switches of the simulated Outpoll.

What the venue's pages leave open ([?] in `protocols/outpoll/protocol.md`) is a switch here, so that a client can
be tried against every reading; the defaults are the likeliest one. Section numbers are the protocol's.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum

from nautilus_orderfeeds.sim.flow import FlowSettings
from nautilus_orderfeeds.sim.model import SelfTrade, TriggerSource
from nautilus_orderfeeds.venues.outpoll.twin_assumed import AssumedFields
from nautilus_orderfeeds.venues.outpoll.twin_words import (
    ActiveQuantity,
    AmountUnit,
    AuthFailure,
    AuthReply,
    BalanceOrder,
    EmptySide,
    ErrorBody,
    HistoryPrice,
    HistoryQuantity,
    HistoryTime,
    NumberStyle,
    PongMode,
    Refusal,
    Status,
    UpdateMeaning,
    UpdateTime,
)


@dataclass(slots=True)
class OutpollTwinOptions:
    """
    Switches of `OutpollTwin`; all but those of the first group may be changed while it runs.

    Parameters
    ----------
    accounts : int
        Users with their own keys; the first one is the main account.
    balance, shares : Decimal
        USDC and shares of every asset each user starts with.
    padded_secret : bool
        Whether the made-up secrets carry their base64 padding (4.1).
    lot : Decimal
        Size step, shares: fractional shares (`0.000001`) or whole ones (`1`).
    flow : FlowSettings
        The background market.
    mirrored : bool
        Whether the background's middle prices of YES and NO add up to one (`twin_mirror`).

    window_secs : float
        How far a signature's timestamp may be off (4.1).
    refuse_replays : bool
        Whether a POST with a signature that was seen before gets 401 (12 [?]).
    error_body : ErrorBody
        What REST errors say.

    fee_rate : Decimal
        Fraction of the notional that every fill costs, USDC (2 [?]).
    place_status : int
        200 or 202 for a taken order (5.2).
    place_update, cancel_update : UpdateTime
        When ORDER_UPDATEs come, for placing and for cancels.
    update_meaning : UpdateMeaning
    update_copies : int
        How often each ORDER_UPDATE is sent: 2 doubles, 0 drops all of them.
    answer_delay_secs : float
        How late the answers to placing and cancelling come; the effect is not late.
    process_delay_secs : float
        How long a taken order waits before it meets the market ("accepted for async processing").
    refusal : Refusal
        How an order without funds is refused.
    cuts_to_lot : bool
        Whether a quantity off the lot is silently cut to it, so that `oq` differs from what was sent; otherwise 400.
    min_quantity, min_amount : Decimal
        Smallest `q` and `am` (12 [?]); 400 below.
    max_slippage : Decimal, optional
        Of market orders: furthest price from the best one, as a fraction (5.3 [?]).
    self_trade : SelfTrade
    cancel_status : int
        200 or 204 for a cancel (5.4) and for whatever else is deleted.
    cancel_delay_secs : float
        How long a cancel takes after its answer; the order may trade meanwhile.
    closed_cancel_status : int
        For an order that is closed: 404, or 200 or 204 as if it were open (5.4).
    tpsl_source : TriggerSource
        Which price TP/SL watches.
    tpsl_delay_secs : float
        From the trigger to the closing order; more than zero.
    tpsl_locks_shares : bool
        Whether active TP/SL takes shares out of `asc` and `f` (5.10).

    history_delay_secs : float
        How far all of history-service is behind (5.6-5.10), and Order Feed's events late.
    orders_extra_secs, trades_extra_secs, positions_extra_secs : float
        How much further behind the order history, the trades, and the positions are.
    active_quantity : ActiveQuantity
    active_extra_fields : bool
        Whether active orders carry more fields than documented (`twin_assumed`).
    active_counters : bool
        Whether active orders come with the page counters that the sample lacks.
    active_newest_first : bool
        Whether a new order shifts the others down the pages.
    page_shift : int
        By how many rows the list moved between two pages: positive, the last rows of a page come again on the
        next one; negative, as many rows are skipped.
    max_page_size : int
        Larger `size` is cut to it.
    history_quantity : HistoryQuantity
    history_price : HistoryPrice
    history_time : HistoryTime
    history_amount_unit : AmountUnit
    history_lists_open, history_lists_rejected, history_lists_resolved : bool
        Whether the order history has open orders, refused orders, and orders that an event's end took away.
    active_word, canceled_word, rejected_word, expired_word, resolved_word : str
        Status words; all but `ACTIVE` are guesses.
    partial_market_status : Status
        What a market order that filled in part is in the history.
    serves_trades : bool
        Whether `/api/history/trades` answers; otherwise 404.

    rest_numbers, stream_numbers : NumberStyle
    amount_decimals : int
        What amounts and balances are cut to; USDC has six, a price times a quantity may have eight.
    balance_delay_secs : float
        How late balance deltas are; they tell what was true at their event.
    balance_order : BalanceOrder
    balance_deltas : bool
        Whether deltas are sent at all.
    lists_empty_balances : bool
        Whether the snapshot has assets of which the user holds none.

    order_feed : bool
        Whether Order Feed is served, at `/history/order/ws`: on its own host its path is that of Order Updates.
    auth_reply : AuthReply
    auth_failure : AuthFailure
    ping_secs : float
        Interval of PING on every stream; 0 for none.
    pong_mode : PongMode
        With `REQUIRED` a connection whose last PING found no PONG until the next one is closed.
    answer_pings : bool
        Whether protocol pings (RFC 6455) are answered.
    book_interval_secs : float
        How often changed prices are published (6.4).
    book_snapshot_unasked : bool
        Whether `PRICES_DATA` follows `SUBSCRIBED`.
    empty_side : EmptySide

    fields : AssumedFields
        The names in every shape that no page documents.
    """

    accounts: int = 1
    balance: Decimal = Decimal(10_000)
    shares: Decimal = Decimal(0)
    padded_secret: bool = False
    lot: Decimal = Decimal("0.000001")
    flow: FlowSettings = FlowSettings(  # noqa: RUF009 - frozen
        levels=5, half_spread_ticks=1, step_ticks=1, level_lots=(50, 300), walk_ticks=1, taker_lots=(1, 30)
    )
    mirrored: bool = True

    window_secs: float = 30.0
    refuse_replays: bool = False
    error_body: ErrorBody = ErrorBody.JSON

    fee_rate: Decimal = Decimal(0)
    place_status: int = 200
    place_update: UpdateTime = UpdateTime.AFTER_ANSWER
    cancel_update: UpdateTime = UpdateTime.AFTER_ANSWER
    update_meaning: UpdateMeaning = UpdateMeaning.REQUESTS
    update_copies: int = 1
    answer_delay_secs: float = 0.0
    process_delay_secs: float = 0.0
    refusal: Refusal = Refusal.BY_ANSWER
    cuts_to_lot: bool = False
    min_quantity: Decimal = Decimal(0)
    min_amount: Decimal = Decimal(0)
    max_slippage: Decimal | None = None
    self_trade: SelfTrade = SelfTrade.ALLOW
    cancel_status: int = 200
    cancel_delay_secs: float = 0.0
    closed_cancel_status: int = 404
    tpsl_source: TriggerSource = TriggerSource.LAST
    tpsl_delay_secs: float = 0.005
    tpsl_locks_shares: bool = True

    history_delay_secs: float = 0.0
    orders_extra_secs: float = 0.0
    trades_extra_secs: float = 0.0
    positions_extra_secs: float = 0.0
    active_quantity: ActiveQuantity = ActiveQuantity.ORIGINAL
    active_extra_fields: bool = False
    active_counters: bool = False
    active_newest_first: bool = True
    page_shift: int = 0
    max_page_size: int = 100
    history_quantity: HistoryQuantity = HistoryQuantity.FILLED
    history_price: HistoryPrice = HistoryPrice.LIMIT
    history_time: HistoryTime = HistoryTime.CREATED
    history_amount_unit: AmountUnit = AmountUnit.SHARES
    history_lists_open: bool = False
    history_lists_rejected: bool = True
    history_lists_resolved: bool = False
    active_word: str = "ACTIVE"
    canceled_word: str = "CANCELED"
    rejected_word: str = "REJECTED"
    expired_word: str = "EXPIRED"
    resolved_word: str = "RESOLVED"
    partial_market_status: Status = Status.CANCELED
    serves_trades: bool = True

    rest_numbers: NumberStyle = NumberStyle.PLAIN
    stream_numbers: NumberStyle = NumberStyle.PADDED
    amount_decimals: int = 6
    balance_delay_secs: float = 0.0
    balance_order: BalanceOrder = BalanceOrder.TOKEN_FIRST
    balance_deltas: bool = True
    lists_empty_balances: bool = False

    order_feed: bool = True
    auth_reply: AuthReply = AuthReply.DOCUMENTED
    auth_failure: AuthFailure = AuthFailure.ERROR
    ping_secs: float = 20.0
    pong_mode: PongMode = PongMode.IGNORED
    answer_pings: bool = True
    book_interval_secs: float = 0.05
    book_snapshot_unasked: bool = True
    empty_side: EmptySide = EmptySide.NULL

    fields: AssumedFields = field(default_factory=AssumedFields)

    def __post_init__(self) -> None:
        """Take plain values (from a command line) for decimals, enums and field maps."""
        for name in ("balance", "shares", "lot", "fee_rate", "max_slippage", "min_quantity", "min_amount"):
            value = getattr(self, name)
            if value is not None:
                setattr(self, name, Decimal(str(value)))
        for name, kind in _ENUMS.items():
            setattr(self, name, kind(getattr(self, name)))
        if isinstance(self.fields, dict):
            self.fields = AssumedFields(**self.fields)
        if self.tpsl_delay_secs <= 0:
            raise ValueError(f"tpsl_delay_secs must be more than zero, got {self.tpsl_delay_secs}")


_ENUMS: dict[str, type[Enum]] = {
    "error_body": ErrorBody,
    "place_update": UpdateTime,
    "cancel_update": UpdateTime,
    "update_meaning": UpdateMeaning,
    "refusal": Refusal,
    "self_trade": SelfTrade,
    "tpsl_source": TriggerSource,
    "active_quantity": ActiveQuantity,
    "history_quantity": HistoryQuantity,
    "history_price": HistoryPrice,
    "history_time": HistoryTime,
    "history_amount_unit": AmountUnit,
    "partial_market_status": Status,
    "rest_numbers": NumberStyle,
    "stream_numbers": NumberStyle,
    "balance_order": BalanceOrder,
    "auth_reply": AuthReply,
    "auth_failure": AuthFailure,
    "pong_mode": PongMode,
    "empty_side": EmptySide,
}
