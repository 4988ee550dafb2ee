"""
The switches of the simulated Roxom.

The venue's documentation exists in three generations that contradict each other, and leaves much open ([?] in
`protocols/roxom/protocol.md`). Each such point is a switch here; the defaults are the current generation (G3
REST, G2 stream, RSA) in its likeliest reading. A switch changes messages, never the ledger.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum, unique

from nautilus_orderfeeds.sim.flow import FlowSettings
from nautilus_orderfeeds.sim.outbox import StreamOrder


@unique
class AuthMode(Enum):
    """How clients prove who they are (2): RSA signatures, a signed timestamp, or the API key alone."""

    RSA = "rsa"
    HMAC = "hmac"
    KEY_ONLY = "key_only"


@unique
class WsAuthFailure(Enum):
    """What a bad key gets at the WebSocket (5.1): no upgrade, or an upgrade and then error 600010."""

    REFUSE_UPGRADE = "refuse"
    ERROR_MESSAGE = "message"


@unique
class EventForm(Enum):
    """Fields of an order event (5.3): the 8 of the venue page, or the 18 of the later text."""

    G1 = "g1"
    G2 = "g2"


@unique
class RestForm(Enum):
    """Shape of REST replies (4.4-4.8): the current one, or that of the two generations before."""

    G3 = "g3"
    G1 = "g1"


@unique
class FillsShown(Enum):
    """Whether each fill has an event of its own, or all of one matching step share the last event."""

    ONE_BY_ONE = "one_by_one"
    MERGED = "merged"


@unique
class FeesShown(Enum):
    """What `filledFees` says: everything charged so far, or what the latest event's fills cost."""

    CUMULATIVE = "cumulative"
    PER_FILL = "per_fill"


@unique
class EventTime(Enum):
    """What an order event's `timestamp` says: when it happened, or when the order was created."""

    EVENT = "event"
    CREATED = "created"


@unique
class PendingCancel(Enum):
    """When a requested cancel is announced as `pendingcancel`."""

    WHEN_DELAYED = "when_delayed"
    ALWAYS = "always"
    NEVER = "never"


@unique
class PartialCancelWord(Enum):
    """The status of an order that is cancelled after a partial fill (6)."""

    PARTIALLYFILLEDCANCELLED = "partiallyfilledcancelled"
    CANCELLED = "cancelled"


@unique
class Delivery(Enum):
    """Which sockets of an account get its events: all of them, or those that subscribed (5.2)."""

    EVERY_SOCKET = "every_socket"
    SUBSCRIBED = "subscribed"


@unique
class AckShape(Enum):
    """What answers subscribe and unsubscribe (5.1)."""

    FULL = "full"
    BARE = "bare"
    NONE = "none"


@unique
class Refusal(Enum):
    """How an order is refused that the rules forbid: in the reply, or by a `rejected` event after it."""

    BY_ANSWER = "answer"
    BY_STREAM = "stream"


@unique
class ErrorShape(Enum):
    """Body of a REST error (4.10): what each page documents, or one of the three shapes (or no body) always."""

    DOCUMENTED = "documented"
    FLAT = "flat"
    NESTED = "nested"
    CODED = "coded"
    EMPTY = "empty"


@unique
class ErrorFlag(Enum):
    """The `error` field of successes (3): false, absent, or the `true` that the G3 samples show."""

    FALSE = "false"
    ABSENT = "absent"
    TRUE = "true"


@unique
class RestTime(Enum):
    """Unit of times in REST replies: as in the sample of each shape, or always one of the two."""

    DOCUMENTED = "documented"
    MS = "ms"
    NS = "ns"


@unique
class DepthDelta(Enum):
    """What quantities of a depth delta mean: changes, or new sizes (5.5)."""

    SIGNED = "signed"
    ABSOLUTE = "absolute"


@unique
class EmptySide(Enum):
    """How `level1` shows a side without orders."""

    EMPTY_LIST = "empty_list"
    NULL = "null"
    ZEROS = "zeros"


@unique
class InstrumentRows(Enum):
    """What `GET /market/instruments` serves: rows that are true, the illustrative ones, or 404 (4.9)."""

    TRUE = "true"
    ILLUSTRATIVE = "illustrative"
    MISSING = "missing"


@unique
class UnknownClientId(Enum):
    """What happens to `clientOrderId` in a create request, where no page lists it (4.1)."""

    ACCEPT = "accept"
    IGNORE = "ignore"
    REFUSE = "refuse"


@dataclass(slots=True)
class RoxomTwinOptions:
    """
    Switches of `RoxomTwin`; they may be changed while it runs (`sim.twin.options`), except `accounts`,
    `balance`, `leverage` and `flow`, which are used at the start.

    Parameters
    ----------
    accounts : int
        User accounts with their own API keys; the first one is the main account.
    balance : Decimal
        BTC each user account starts with.
    auth : AuthMode
    ws_auth_failure : WsAuthFailure
    close_after_auth_error : bool
        Whether the connection is closed after error 600010.
    anonymous_ws : bool
        Whether an upgrade without any key is let through, for market data only (G1).
    clock_tolerance_secs : float
        Permitted skew of the legacy timestamp.
    prefixes : tuple[str, ...]
        Which path prefixes answer; the other one is unknown (404).
    require_content_type : bool
        Refuse a body that is not declared as JSON.
    public_book : bool
        Whether the REST order book needs no authentication.
    rest_form : RestForm
    rest_time : RestTime
    error_shape : ErrorShape
    error_flag : ErrorFlag
    accept_upper_unit : bool
        Whether `unit` may be `"BTC"` or `"SATS"`.
    client_order_id : UnknownClientId
    instrument_rows : InstrumentRows
    event_form : EventForm
    event_time : EventTime
    event_unit : str
        Unit of the prices and fees of order events, `"btc"` or `"sats"` (not stated by any page).
    null_before_fill : bool
        Whether `fillPx` and `filledFees` are null before the first fill, instead of zeros.
    reasons : bool
        Whether `reason` has a text, or is always null.
    fills_shown : FillsShown
    fees_shown : FeesShown
    pending_update : bool
        Whether a new order is announced as `pendingsubmit` first.
    submitted_update : bool
        Whether `submitted` is announced for an order that trades or ends in the same step.
    match_delay_secs : float
        How long a new order stays `pendingsubmit`.
    create_stream, cancel_stream : StreamOrder
        Order of REST answer and events, for creates and for cancels.
    cancel_delay_secs : float
        How long a requested cancel takes; the order may trade meanwhile.
    pending_cancel : PendingCancel
    partial_cancel : PartialCancelWord
    closed_cancel_status : int
        HTTP status of the cancel of an order that is over.
    refusal : Refusal
        How an order is refused for its price, size, caps or market.
    margin_refusal : Refusal
        The same for a lack of balance.
    delivery : Delivery
    ack : AckShape
    balance_events, position_events, account_events : bool
        Whether fills are followed by such events.
    answers_pings : bool
        Whether protocol pings are answered.
    idle_secs : float
        Silence of a client after which its connection is closed; 0 never closes it.
    max_subscriptions : int
        Per connection; beyond it error 60016.
    list_hides_pending, list_hides_waiting : bool
        Whether `GET /orders` leaves out `pendingsubmit`, `waitingtrigger`.
    closed_kept : int
        How many closed orders `GET /orders` still lists.
    log_newest_first : bool
        Order of the transaction log.
    cursor_after_last : bool
        Whether a full last page still has a cursor (to an empty page).
    trigger_fee_is_rate : bool
        Whether `fee` inside `transactionTrigger.OrderFill` is the rate (G3).
    closed_positions_shown : bool
        Whether closed positions appear in REST replies.
    split_positions : bool
        Whether a position is served as two rows.
    depth_delta : DepthDelta
    wrong_delta_symbol : bool
        Whether depth deltas name another symbol in `data` than in `topic`, as the published sample does.
    empty_side : EmptySide
    book_interval_secs : float
        How often changed books are published.
    maker_fee_rate, taker_fee_rate : Decimal
        Fractions of the notional; negative is a rebate. Each fee is rounded to a satoshi.
    leverage : Decimal
        Initial leverage of every product.
    market_slippage : Decimal
        How far from the best price a market order may go (6).
    limit_band : Decimal
        A buy may be this fraction above the ask, a sell below the bid (4.1).
    mark_band : Decimal
        Prices may be this fraction away from the mark (6).
    max_market_notional, max_limit_notional, min_notional, max_position : Decimal
        BTC (6).
    max_quantity : Decimal
        Base units.
    inactive_products : tuple[str, ...]
        Symbols that do not trade now.
    flow : FlowSettings
        The background market.
    """

    accounts: int = 1
    balance: Decimal = Decimal(10)
    auth: AuthMode = AuthMode.RSA
    ws_auth_failure: WsAuthFailure = WsAuthFailure.REFUSE_UPGRADE
    close_after_auth_error: bool = True
    anonymous_ws: bool = False
    clock_tolerance_secs: float = 30.0
    prefixes: tuple[str, ...] = ("/v1", "/api/v1")
    require_content_type: bool = True
    public_book: bool = True
    rest_form: RestForm = RestForm.G3
    rest_time: RestTime = RestTime.DOCUMENTED
    error_shape: ErrorShape = ErrorShape.DOCUMENTED
    error_flag: ErrorFlag = ErrorFlag.FALSE
    accept_upper_unit: bool = True
    client_order_id: UnknownClientId = UnknownClientId.ACCEPT
    instrument_rows: InstrumentRows = InstrumentRows.TRUE
    event_form: EventForm = EventForm.G2
    event_time: EventTime = EventTime.EVENT
    event_unit: str = "btc"
    null_before_fill: bool = False
    reasons: bool = True
    fills_shown: FillsShown = FillsShown.ONE_BY_ONE
    fees_shown: FeesShown = FeesShown.CUMULATIVE
    pending_update: bool = True
    submitted_update: bool = True
    match_delay_secs: float = 0.0
    create_stream: StreamOrder = StreamOrder.AFTER_ANSWER
    cancel_stream: StreamOrder = StreamOrder.AFTER_ANSWER
    cancel_delay_secs: float = 0.0
    pending_cancel: PendingCancel = PendingCancel.WHEN_DELAYED
    partial_cancel: PartialCancelWord = PartialCancelWord.PARTIALLYFILLEDCANCELLED
    closed_cancel_status: int = 400
    refusal: Refusal = Refusal.BY_ANSWER
    margin_refusal: Refusal = Refusal.BY_ANSWER
    delivery: Delivery = Delivery.EVERY_SOCKET
    ack: AckShape = AckShape.FULL
    balance_events: bool = True
    position_events: bool = True
    account_events: bool = False
    answers_pings: bool = True
    idle_secs: float = 0.0
    max_subscriptions: int = 100
    list_hides_pending: bool = False
    list_hides_waiting: bool = False
    closed_kept: int = 10_000
    log_newest_first: bool = True
    cursor_after_last: bool = False
    trigger_fee_is_rate: bool = True
    closed_positions_shown: bool = False
    split_positions: bool = False
    depth_delta: DepthDelta = DepthDelta.SIGNED
    wrong_delta_symbol: bool = False
    empty_side: EmptySide = EmptySide.EMPTY_LIST
    book_interval_secs: float = 0.025
    maker_fee_rate: Decimal = Decimal("0.0002")
    taker_fee_rate: Decimal = Decimal("0.00096")
    leverage: Decimal = Decimal(10)
    market_slippage: Decimal = Decimal("0.02")
    limit_band: Decimal = Decimal("0.1")
    mark_band: Decimal = Decimal("0.5")
    max_market_notional: Decimal = Decimal("0.5")
    max_limit_notional: Decimal = Decimal("2.5")
    min_notional: Decimal = Decimal("0.00001")
    max_position: Decimal = Decimal(5)
    max_quantity: Decimal = Decimal(1_000_000)
    inactive_products: tuple[str, ...] = ()
    flow: FlowSettings = FlowSettings(level_lots=(50, 300), taker_lots=(1, 60))  # noqa: RUF009 - frozen

    def __post_init__(self) -> None:
        """Take plain values (from a command line) for decimals and enums."""
        for name in _DECIMALS:
            setattr(self, name, Decimal(str(getattr(self, name))))
        for name, kind in _ENUMS.items():
            setattr(self, name, kind(getattr(self, name)))
        if self.event_unit not in ("btc", "sats"):
            raise ValueError(f"event_unit is 'btc' or 'sats', got {self.event_unit!r}")


_DECIMALS = (
    *("balance", "maker_fee_rate", "taker_fee_rate", "leverage", "market_slippage", "limit_band", "mark_band"),
    *("max_market_notional", "max_limit_notional", "min_notional", "max_position", "max_quantity"),
)
_ENUMS: dict[str, type[Enum]] = {
    "auth": AuthMode,
    "ws_auth_failure": WsAuthFailure,
    "rest_form": RestForm,
    "rest_time": RestTime,
    "error_shape": ErrorShape,
    "error_flag": ErrorFlag,
    "client_order_id": UnknownClientId,
    "instrument_rows": InstrumentRows,
    "event_form": EventForm,
    "event_time": EventTime,
    "fills_shown": FillsShown,
    "fees_shown": FeesShown,
    "create_stream": StreamOrder,
    "cancel_stream": StreamOrder,
    "pending_cancel": PendingCancel,
    "partial_cancel": PartialCancelWord,
    "refusal": Refusal,
    "margin_refusal": Refusal,
    "delivery": Delivery,
    "ack": AckShape,
    "depth_delta": DepthDelta,
    "empty_side": EmptySide,
}
