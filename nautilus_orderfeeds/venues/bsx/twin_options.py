"""
The switches of the simulated BSX.

What the venue's pages leave open ([?] in `protocols/bsx/protocol.md`) is a switch here, so that a client can
be tried against every reading; the defaults are the likeliest one.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

from nautilus_orderfeeds.sim.flow import FlowSettings
from nautilus_orderfeeds.sim.outbox import StreamOrder


class ActiveKey(Enum):
    """Which key of a product says that it trades (4.2: one client knows the one, another the other)."""

    IS_ACTIVE = "is_active"
    ENABLED = "enabled"
    BOTH = "both"
    NEITHER = "neither"


class AnswerState(Enum):
    """Which state of a new order the create answer shows."""

    PENDING = "pending"
    FINAL = "final"


class TradesShown(Enum):
    """How fills appear in `last_trades`: all of one event together, one update each, or not at all."""

    TOGETHER = "together"
    ONE_BY_ONE = "one_by_one"
    NEVER = "never"


class LiquidityWords(Enum):
    """What `liquidity_indicator` says."""

    WORDS = "words"
    LETTERS = "letters"
    LOWER_CASE = "lower_case"
    ABSENT = "absent"


class MarginRefusal(Enum):
    """How an order without enough margin is refused: at once, or as a `DONE` order."""

    BY_ANSWER = "answer"
    BY_STREAM = "stream"


class ClockErrorShape(Enum):
    """The shape of the WebSocket's clock error: with `channel` as documented, or as once seen live."""

    WITH_CHANNEL = "with_channel"
    WITHOUT_CHANNEL = "without_channel"


@dataclass(slots=True)
class BsxTwinOptions:
    """
    Switches of `BsxTwin`; they may also be changed while it runs (`sim.twin.options`), except those of the
    accounts and their keys, which are made at the start.

    Parameters
    ----------
    accounts : int
        User accounts with their own keys; the first one is the main account.
    balance : Decimal
        USDC each user account starts with.
    maker_fee_rate, taker_fee_rate : Decimal
        Fractions of the notional; negative is a rebate (protocol section 2).
    sequencer_fee : Decimal
        USDC charged on a taker's first fill (7); at most 1.
    filled_fees_include_sequencer_fee : bool
        Whether `filled_fees` counts it.
    leverage : int
        Initial leverage of every product; the initial margin ratio is its inverse.
    legacy_chain_configs : bool
        Serve the signing domain at top level, as until October 2024 (3.4).
    active_key : ActiveKey
    inactive_products, post_only_products : tuple[str, ...]
        Symbols that do not trade, or accept post-only orders only.
    clock_tolerance_secs : float
        Permitted skew of the WebSocket's auth timestamp (3.3).
    clock_error : ClockErrorShape
        Shape of the error beyond it.
    key_lifetime_secs : float
        Until `expired_at` of an API key.
    max_nonce_age_secs : float
        Oldest nonce accepted (4.3).
    orders_ack : bool
        Whether `orders` sends `subscribed` before its snapshot (5.3).
    pending_update : bool
        Whether a new order is shown `PENDING` before anything else (8).
    match_delay_secs : float
        How long a new order stays `PENDING` before it is processed.
    create_answer : AnswerState
    create_stream, cancel_stream : StreamOrder
        Order of REST answer and stream, for creates and for cancels.
    cancel_delay_secs : float
        How long a requested cancel takes; the order may trade meanwhile.
    cancel_requested_update : bool
        Whether the request itself shows in an update (`cancel_requested` true) before the end.
    unknown_cancel_status, unknown_cancel_code : int
        HTTP status and gRPC code for the cancel of an unknown or finished order (4.4).
    canceled_id_key : str
        `"order_id"` or `"id"` in `cancel_requested_orders`.
    batch_success_code : int
        Item code of a success in a batch answer, 0 or 200 (4.5).
    trades_shown : TradesShown
    empty_last_trades : bool
        Whether `last_trades` is `[]` (as the samples show) or absent (as the text says) without trades.
    liquidity_words : LiquidityWords
    trade_id_shared : bool
        Whether both sides of a match (and the public print) share one trade id.
    optional_fields : bool
        Whether orders carry `stop_price_option`, `expired_at` and the three fee rates.
    numeric_times : bool
        Whether times and nonces of orders and trades are numbers instead of strings.
    zero_updated_at : bool
        Whether orders of a snapshot have `updated_at` `"0"`; untriggered stops always do.
    open_orders_include_pending, open_orders_include_stops : bool
        What `GET /orders` lists (4.7).
    margin_refusal : MarginRefusal
    max_limit : int
        Largest page of a history query.
    idle_secs : float
        Silence of a client after which its connection is closed (5.1).
    book_interval_secs : float
        How often changed levels are published (5.2).
    book_snapshot_secs : float
        How often the whole book is sent again.
    funding_interval_secs : float
        How often the estimated funding rate is sent.
    flow : FlowSettings
        The background market.
    """

    accounts: int = 1
    balance: Decimal = Decimal(100_000)
    maker_fee_rate: Decimal = Decimal("-0.00005")
    taker_fee_rate: Decimal = Decimal("0.0003")
    sequencer_fee: Decimal = Decimal(0)
    filled_fees_include_sequencer_fee: bool = True
    leverage: int = 20
    legacy_chain_configs: bool = False
    active_key: ActiveKey = ActiveKey.BOTH
    inactive_products: tuple[str, ...] = ()
    post_only_products: tuple[str, ...] = ()
    clock_tolerance_secs: float = 30.0
    clock_error: ClockErrorShape = ClockErrorShape.WITH_CHANNEL
    key_lifetime_secs: float = 30 * 86_400.0
    max_nonce_age_secs: float = 600.0
    orders_ack: bool = True
    pending_update: bool = True
    match_delay_secs: float = 0.0
    create_answer: AnswerState = AnswerState.PENDING
    create_stream: StreamOrder = StreamOrder.AFTER_ANSWER
    cancel_stream: StreamOrder = StreamOrder.AFTER_ANSWER
    cancel_delay_secs: float = 0.0
    cancel_requested_update: bool = True
    unknown_cancel_status: int = 404
    unknown_cancel_code: int = 5
    canceled_id_key: str = "order_id"
    batch_success_code: int = 0
    trades_shown: TradesShown = TradesShown.TOGETHER
    empty_last_trades: bool = True
    liquidity_words: LiquidityWords = LiquidityWords.WORDS
    trade_id_shared: bool = True
    optional_fields: bool = True
    numeric_times: bool = False
    zero_updated_at: bool = False
    open_orders_include_pending: bool = True
    open_orders_include_stops: bool = True
    margin_refusal: MarginRefusal = MarginRefusal.BY_STREAM
    max_limit: int = 100
    idle_secs: float = 600.0
    book_interval_secs: float = 0.025
    book_snapshot_secs: float = 60.0
    funding_interval_secs: float = 60.0
    flow: FlowSettings = FlowSettings()  # noqa: RUF009 - frozen

    def __post_init__(self) -> None:
        """Take plain values (from a command line) for decimals and enums."""
        for name in ("balance", "maker_fee_rate", "taker_fee_rate", "sequencer_fee"):
            setattr(self, name, Decimal(str(getattr(self, name))))
        for name, kind in _ENUMS.items():
            setattr(self, name, kind(getattr(self, name)))


_ENUMS: dict[str, type[Enum]] = {
    "active_key": ActiveKey,
    "clock_error": ClockErrorShape,
    "create_answer": AnswerState,
    "create_stream": StreamOrder,
    "cancel_stream": StreamOrder,
    "trades_shown": TradesShown,
    "liquidity_words": LiquidityWords,
    "margin_refusal": MarginRefusal,
}
