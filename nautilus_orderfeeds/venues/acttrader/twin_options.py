"""
The switches of the simulated ActTrader.

What the venue's pages leave open ([?] and [I] in `protocols/acttrader/protocol.md`) is a switch here, so that
a client can be tried against every reading; the defaults are the likeliest one. A switch that is `None` takes
the value that its dialect documents.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum

from nautilus_orderfeeds.sim.flow import FlowSettings
from nautilus_orderfeeds.sim.model import LinkRule, TriggerSource


class Dialect(Enum):
    """Which state of the page the server speaks: the first public draft, or the last."""

    DRAFT = "draft"
    FINAL = "final"


class AnswerTime(Enum):
    """When a request is answered: before the executions it caused, after them, or not at all."""

    BEFORE_EXECUTION = "before"
    AFTER_EXECUTION = "after"
    NEVER = "never"


class Refusal(Enum):
    """How a well-formed order is refused: `error`, answer `REJECTED`, `execution` `REJECTED` without or after one."""

    ERROR = "error"
    ANSWER = "answer"
    EXECUTION = "execution"
    NEW_THEN_EXECUTION = "new_then_execution"


class EndStatus(Enum):
    """The status of an order that ended without being filled or canceled by its user."""

    CANCELED = "CANCELED"
    REJECTED = "REJECTED"


class PartialStatus(Enum):
    """The status of a partly filled order; the draft's page shows `NEW` only, clients know two spellings."""

    PARTIAL_FILL = "PARTIAL_FILL"
    PARTIALLY_FILLED = "PARTIALLY_FILLED"
    NEW = "NEW"


class FillsShown(Enum):
    """What `fills` of an `execution` lists: all fills of the order, those since the last one, or there is none."""

    CUMULATIVE = "cumulative"
    INCREMENTAL = "incremental"
    NONE = "none"


class ExecutionSteps(Enum):
    """Whether one step of the market is told by one `execution` an order, or by one for each thing it brought."""

    TOGETHER = "together"
    EACH = "each"


class TimeForm(Enum):
    """How `transactTime` is written."""

    INT_MS = "int_ms"
    ISO = "iso"


class NoLimitPrice(Enum):
    """What the draft's `price` says of an order without a limit price (the page shows a zero and a nonzero one)."""

    ZERO = "zero"
    LAST_FILL = "last_fill"
    ABSENT = "absent"


class OcoIds(Enum):
    """Whose `clientOrderId` an OCO leg shows: its own, or the first leg's in the answer or everywhere."""

    OWN = "own"
    SAME_IN_ANSWER = "same_in_answer"
    SAME_EVERYWHERE = "same_everywhere"


class ModifyQuantity(Enum):
    """What `quantity` of a modify means."""

    TOTAL = "total"
    REMAINDER = "remainder"


class PushScope(Enum):
    """Who gets an `execution`: every connection, or those that used the order's login since they connected."""

    EVERYONE = "everyone"
    OWN_LOGINS = "own_logins"


class TickShape(Enum):
    """The shape of a price tick (9, B): of the order stream or of the charts stream."""

    ORDER_STREAM = "order_stream"
    CHARTS = "charts"


@dataclass(slots=True)
class ActTraderTwinOptions:
    """
    Switches of `ActTraderTwin`; apart from `dialect`, `accounts` and `balance` they may be changed while it runs.

    Parameters
    ----------
    dialect : Dialect
    accounts : int
        Logins; the first one is the main account.
    balance : Decimal
        USD each login starts with.
    commission_rate : Decimal
        Fraction of the notional charged on each fill; the instruments say the same, the wire says nothing.
    auth_headers : Mapping[str, str]
        Headers without which a connection is refused (401).
    token : str
        Query parameter `token` without which a connection is refused (401); empty for none.
    auth_message : str
        What the first frame of a connection must be (compared as JSON if it is JSON); empty for none.
    auth_answer : str
        Sent after the right `auth_message`; empty for nothing.
    push_scope : PushScope
    draft_gtc : bool
        Whether the draft takes `GTC` in a request (10).
    accept_tpi : bool
        Whether the final dialect takes `TPI`, as a plain resting LIMIT order (10).
    all_or_none : bool
        Whether `AON` fills only as a whole; otherwise such an order may fill in parts.
    strict_prices : bool
        Whether a `price` or `stopPrice` that the order type has no use for is refused or ignored (5.1: the
        printed samples are field lists with both).
    refuse_reused_client_order_ids : bool
        Whether a clientOrderId may be used once only (10). By default a repeated order is a second order.
    from_time_mandatory : bool
        Whether the final `orders` request needs `fromTime`.
    stop_source : TriggerSource
        Which price wakes a stop order.
    oco_rule : LinkRule
        What of one leg ends the other (7).
    modify_quantity : ModifyQuantity
    refusal : Refusal
        How a well-formed order is refused; a malformed one always gets an `error`.
    leverage : Decimal
        Largest exposure as a multiple of the equity; beyond it an order is refused in the way of `refusal`.
    new_delay_secs, modify_delay_secs, cancel_delay_secs : float
        How long such a request waits before it has an effect and is answered; the order may trade meanwhile.
    match_delay_secs : float
        How long a new order that was answered waits before it is in the market.
    bare_effect_delay_secs : float
        How long a modify or cancel with a bare answer waits for its effect after the answer (5.2: it means
        "accepted for processing"); if the order has ended meanwhile, nothing tells so.
    new_answer, modify_answer, cancel_answer : AnswerTime
        Of `newordersingle` and `neworderoco`, `modifyordersingle`, `ordercancel`.
    answer_details : bool, optional
        Whether the answer to a new order has clientOrderId, type and login besides orderId and status.
    modify_payload, cancel_payload : bool, optional
        Whether these answers have a payload (final) or are bare (draft).
    modify_echo_all : bool
        Whether the modify payload shows all of the order's values or only those that were asked for.
    new_execution, modify_execution, cancel_execution : bool
        Whether acceptance, a modify and a requested cancel are told by an `execution` too.
    execution_copies : int
        How often each `execution` is sent.
    execution_steps : ExecutionSteps
    execution_fills : FillsShown, optional
        Draft: none; final: cumulative.
    status_fills : bool
        Whether `orderstatus` has fills.
    partial_status : PartialStatus
    expiry_status, oco_status, unfilled_status : EndStatus
        Of an expired order, of the other OCO leg, and of an IOC, FOK or MARKET order of which nothing filled.
    expiry_reason : str
        `lifetime expired` or `LIFETIME_EXPIRED` (4).
    reasons : bool, optional
        Whether an `execution` has `reason` (final only).
    double_type : bool, optional
        Whether order objects have the key `type` twice (draft).
    transact_time : TimeForm, optional
        Draft: milliseconds; final: ISO text.
    no_limit_price : NoLimitPrice
        Draft only: the final dialect leaves such a price out.
    oco_ids : OcoIds, optional
        Draft: the same in the answer; final: own.
    orders_request_id : bool, optional
        Whether the `orders` answer has the requestId (final).
    orders_new_look_filled, orders_canceled_look_filled : bool
        Whether NEW or CANCELED rows of `orders` show executedQty == origQty whatever was filled (8.3).
    orders_include_ended, orders_include_market : bool
        Whether the draft's `orders` lists ended orders, and either dialect's MARKET orders, against the wording
        but as in the draft's sample (5.4).
    cummulative_quote_qty : bool
        Whether filled rows of the draft's `orders` have it (so spelled).
    named_error_codes : bool, optional
        Whether ORDER_NOT_EXISTS and ORDER_ALREADY_CLOSED carry a `code` (draft; final: not).
    error_event : bool, optional
        Whether errors name the request's event (final).
    error_event_empty : bool
        Whether that name is empty (5.8).
    heartbeat_secs : float
        How often the order stream sends the text `heartbeat`; 0 for never.
    ticker_token : str
        Query parameter `token` of the price stream; empty for none.
    tick_shape : TickShape
    tick_interval_secs : float
        How often changed quotes are sent.
    tick_on_subscribe : bool
        Whether a subscription brings the current quote at once.
    tick_time_digits : int
        Digits of a tick's seconds, 3 to 9.
    ticker_heartbeat_secs : float
        As `heartbeat_secs`, of the price stream.
    flow : FlowSettings
        The background market.
    """

    dialect: Dialect = Dialect.DRAFT
    accounts: int = 1
    balance: Decimal = Decimal(1_000_000)
    commission_rate: Decimal = Decimal(0)
    auth_headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    token: str = field(default="", repr=False)
    auth_message: str = field(default="", repr=False)
    auth_answer: str = ""
    push_scope: PushScope = PushScope.EVERYONE
    draft_gtc: bool = True
    accept_tpi: bool = False
    all_or_none: bool = True
    strict_prices: bool = True
    refuse_reused_client_order_ids: bool = False
    from_time_mandatory: bool = False
    stop_source: TriggerSource = TriggerSource.MARK
    oco_rule: LinkRule = LinkRule.FIRST_FILL
    modify_quantity: ModifyQuantity = ModifyQuantity.TOTAL
    refusal: Refusal = Refusal.ERROR
    leverage: Decimal = Decimal(50)
    new_delay_secs: float = 0.0
    modify_delay_secs: float = 0.0
    cancel_delay_secs: float = 0.0
    match_delay_secs: float = 0.0
    bare_effect_delay_secs: float = 0.0
    new_answer: AnswerTime = AnswerTime.BEFORE_EXECUTION
    modify_answer: AnswerTime = AnswerTime.BEFORE_EXECUTION
    cancel_answer: AnswerTime = AnswerTime.BEFORE_EXECUTION
    answer_details: bool | None = None
    modify_payload: bool | None = None
    cancel_payload: bool | None = None
    modify_echo_all: bool = True
    new_execution: bool = True
    modify_execution: bool = True
    cancel_execution: bool = True
    execution_copies: int = 1
    execution_steps: ExecutionSteps = ExecutionSteps.TOGETHER
    execution_fills: FillsShown | None = None
    status_fills: bool = True
    partial_status: PartialStatus = PartialStatus.PARTIAL_FILL
    expiry_status: EndStatus = EndStatus.CANCELED
    expiry_reason: str = "lifetime expired"
    oco_status: EndStatus = EndStatus.REJECTED
    unfilled_status: EndStatus = EndStatus.CANCELED
    reasons: bool | None = None
    double_type: bool | None = None
    transact_time: TimeForm | None = None
    no_limit_price: NoLimitPrice = NoLimitPrice.ZERO
    oco_ids: OcoIds | None = None
    orders_request_id: bool | None = None
    orders_new_look_filled: bool = False
    orders_canceled_look_filled: bool = False
    orders_include_ended: bool = False
    orders_include_market: bool = False
    cummulative_quote_qty: bool = True
    named_error_codes: bool | None = None
    error_event: bool | None = None
    error_event_empty: bool = False
    heartbeat_secs: float = 0.0
    ticker_token: str = field(default="", repr=False)
    tick_shape: TickShape = TickShape.ORDER_STREAM
    tick_interval_secs: float = 0.05
    tick_on_subscribe: bool = True
    tick_time_digits: int = 3
    ticker_heartbeat_secs: float = 10.0
    flow: FlowSettings = FlowSettings()  # noqa: RUF009 - frozen

    def __post_init__(self) -> None:
        """Take plain values (from a command line) for decimals and enums, and the dialect's own for `None`."""
        for name in ("balance", "commission_rate", "leverage"):
            setattr(self, name, Decimal(str(getattr(self, name))))
        self.dialect = Dialect(self.dialect)
        for name, (draft, final) in _BY_DIALECT.items():
            if getattr(self, name) is None:
                setattr(self, name, draft if self.dialect is Dialect.DRAFT else final)
        for name, kind in _ENUMS.items():
            setattr(self, name, kind(getattr(self, name)))
        if not 3 <= self.tick_time_digits <= 9:
            raise ValueError(f"tick_time_digits must be 3 to 9, got {self.tick_time_digits}")

    @property
    def is_draft(self) -> bool:
        """Whether the draft is spoken."""
        return self.dialect is Dialect.DRAFT


_BY_DIALECT: dict[str, tuple[object, object]] = {
    "answer_details": (False, True),
    "modify_payload": (False, True),
    "cancel_payload": (False, True),
    "execution_fills": (FillsShown.NONE, FillsShown.CUMULATIVE),
    "reasons": (False, True),
    "double_type": (True, False),
    "transact_time": (TimeForm.INT_MS, TimeForm.ISO),
    "oco_ids": (OcoIds.SAME_IN_ANSWER, OcoIds.OWN),
    "orders_request_id": (False, True),
    "named_error_codes": (True, False),
    "error_event": (False, True),
}
"""What each dialect documents: (draft, final)."""

_ENUMS: dict[str, type[Enum]] = {
    "push_scope": PushScope,
    "stop_source": TriggerSource,
    "oco_rule": LinkRule,
    "modify_quantity": ModifyQuantity,
    "refusal": Refusal,
    "new_answer": AnswerTime,
    "modify_answer": AnswerTime,
    "cancel_answer": AnswerTime,
    "execution_steps": ExecutionSteps,
    "execution_fills": FillsShown,
    "partial_status": PartialStatus,
    "expiry_status": EndStatus,
    "oco_status": EndStatus,
    "unfilled_status": EndStatus,
    "transact_time": TimeForm,
    "no_limit_price": NoLimitPrice,
    "oco_ids": OcoIds,
    "tick_shape": TickShape,
}
