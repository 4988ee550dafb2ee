"""The switches of the simulated sFOX. They change what is said, never what is true (the ledger)."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum
from typing import get_type_hints

from nautilus_orderfeeds.sim.flow import FlowSettings
from nautilus_orderfeeds.sim.outbox import StreamOrder
from nautilus_orderfeeds.venues.sfox.twin_words import (
    AckShape,
    ActionCase,
    AmendAnswer,
    AmountQuantity,
    BalancesShown,
    BookOrder,
    CancelAnswer,
    CreateAnswer,
    CursorDirection,
    EnterpriseTrades,
    ErrorShape,
    ExcessDecimals,
    FeedShape,
    FilledListed,
    FillsShown,
    FokFailure,
    InitialList,
    PayloadShape,
    Settlement,
    Spelling,
    TradesOrder,
)


def _balances() -> dict[str, Decimal]:
    return {"usd": Decimal(100_000), "btc": Decimal(10)}


@dataclass(slots=True)
class SfoxTwinOptions:
    """
    Switches of `SfoxTwin`; they may also be changed while it runs (`sim.twin.options`), except those of the
    accounts, which are made at the start. Numbers in brackets are sections of `protocols/sfox/protocol.md`.

    Parameters
    ----------
    accounts : int
        Own accounts with a key each; the first one is the main account (unless `enterprise`).
    users : int
        End users `test1`, `test2`, ... of the enterprise key; more come with `sim.twin.user(user_id)`.
    enterprise : bool
        The main account is the end user `test1`, and the ready-made configs are those of enterprise mode.
    balances : dict[str, Decimal]
        What every own account and end user starts with, by currency.
    check_funds : bool
        Refuse orders that the account cannot pay for.
    maker_rate, net_price_rate, smart_rate : Decimal
        Fee rates, fractions of the notional: `makerRate`, `nprRate` (taker, routing NetPrice) and
        `nprOffRate` (taker, routing Smart) (7.6).
    volume : Decimal
        `volume` of the fee rates, USD.

    token_lifetime_secs : float
        Of a user token, by the sim's clock (3).
    token_millis : bool
        Whether `expires` of a single token has milliseconds; the bulk answer never has (3).
    user_token_on_ws : bool
        Whether a user token may log in to the WebSocket, as its own account (3 [?]).
    market_data_needs_auth : bool
        Whether market feeds refuse a subscribe before authentication; private ones always do (3).
    public_rest_needs_auth : bool
        Whether `/v1/markets/*`, `/v1/currency`, offers and candles need a key.

    rest_limits, ws_limits : bool
        Enforce section 9; everybody on loopback is one IP.
    limit_time_scale : float
        Factor on every window and wait of section 9, which run by the sim's clock; `0.01` makes 60 s 0.6 s.
    retry_after : bool
        Whether a 429 has `Retry-After` (seconds).
    ws_limit_closes : bool
        Whether a connection that breaks the WebSocket limit is closed after its error.
    subscribe_timeout_secs : float
        A connection that did not subscribe by then is closed (8.1); real seconds.
    maintenance : bool
        Everything answers 503; see `sim.twin.begin_maintenance()` (9).
    answer_pings : bool
        Whether connections opened from now on answer protocol pings.

    create_answer : CreateAnswer
    create_stream, create_trades : StreamOrder
        When the orders (and balances) feed, and the trades feed, tell what a create caused.
    cancel_stream, amend_stream : StreamOrder
        The same for cancels and amends.
    answer_lag_secs : float
        How much later an answer comes than a feed that is to be before it.
    match_delay_secs : float
        How long a new order is `Started` before it meets the market.
    fok_failure : FokFailure
    settlement : Settlement
    settle_secs : float
        From `Filled` to `Done`; real seconds.
    cancel_delay_secs : float
        How long an order is `Cancel Pending`; it may trade meanwhile. Without a delay the answer is `canceled`.
    cancel_pending_update : bool
        Whether the orders feed shows `Cancel Pending` at all.
    fill_while_canceling : Decimal
        Fraction of what is left that trades right before a cancel is done (a true fill: the ledger has it).
    late_fills : bool
        Fills that happen while an order is `Cancel Pending` are shown only after its `Canceled`, which then
        lacks them, by feed and REST alike; a corrected `Canceled` follows.
    late_fill_secs : float
        How long after `Canceled`.
    cancel_answer : CancelAnswer
    cancel_by_client_id : bool
        Whether `DELETE /v1/orders/:id` also takes a client order id (7.3 [?]).
    finished_cancel_status : int
        HTTP status of `order already finished`: 200, or the error that the prose promises (7.3).
    amend_answer : AmendAnswer
    unknown_order_status : int
        HTTP status of a query for an unknown order (7.5 [?]).
    duplicate_client_id_status : int
        HTTP status for a client order id used within 24 hours (7.1 [?]).
    client_id_hours : float
        For how long a client order id is refused, by the sim's clock.
    max_client_id : int
        Longest client order id; ASCII letters, digits, `-` and `_` (11).
    min_quantity : Decimal
        Smallest quantity of crypto-quoted pairs, base units (4).
    min_amount : Decimal
        Smallest amount of USD-quoted pairs, USD (4).
    fiat_price_decimals, crypto_price_decimals : int
        Decimals of an order's price by quote currency (4, statement a).
    excess_decimals : ExcessDecimals
    amount_quantity : AmountQuantity

    fills_shown : FillsShown
    trades_order : TradesOrder
    trades_delay_secs : float
        How much later than its order update a fill comes on the trades feed.
    trades_on_feed : bool
        Whether the trades feed tells of fills at all; `sim.twin.miss_trades(n)` leaves out only some.
    rest_trades_delay_secs : float
        How much later a fill is listed by `GET /v1/account/trades`.
    trade_id_shared : bool
        Whether both sides of a match have one `trade_id`.
    duplicate_orders, duplicate_trades : bool
        Each message of the feed comes twice, with a sequence number each (the fault DOUBLE repeats the number).
    stale_orders : bool
        Each order update is followed by the one before it.
    rest_trades_overlap : int
        Rows of the page before that a page of `GET /v1/account/trades` repeats.

    initial_orders, initial_user_orders, initial_trades, initial_balances : InitialList
        What follows a subscription: own open orders, those of each end user, fills, balances.
    payload_shape : PayloadShape
        Of private feeds; single objects come on own feeds only.
    feed_shape : FeedShape
    feed_without : tuple[str, ...]
        Fields that orders on the feed lack.
    feed_numbers, rest_strings : bool
        Decimals of the feeds as numbers; decimals of REST orders and balances as strings.
    padded_decimals : bool
        Strings with eight decimals on the feeds (`GET /v1/account/trades` always has them).
    spelling : Spelling
    partial_is_filled : bool
        A partly filled order says `Filled`, as one old page has it (6); it stays open in every list.
    algorithm_options : object
        What every order has there: `None`, an object or a list of strings (5).
    action_case : ActionCase
    balances_shown : BalancesShown
    balances_2020 : bool
        Balances have `currency`, `balance` and `available` only.
    held_shows_orders : bool
        Whether `held` counts open orders (`available` always does).
    enterprise_trades : EnterpriseTrades
    date_added : bool
        Whether orders have `date_added`; older ones did not.
    orders_2020 : bool
        `GET /v1/orders` has the minimal rows of 2020.
    filled_listed : FilledListed
    done_includes_canceled : bool
    cursor_direction : CursorDirection
    pairs_2020 : bool
        Pairs without `base` and `quote`.
    ack_shape : AckShape
    error_shape : ErrorShape

    book_levels : int
        Rows a side at most.
    book_interval_secs : float
        Shortest time between two books of a pair.
    book_on_subscribe : bool
        Whether a subscription is followed by the book at once.
    book_duplicates : bool
        Several rows of one price, one a venue.
    book_order : BookOrder
    book_crossed : bool
        The best bid is above the best ask.
    book_wrong_pair : bool
        `pair` in the payload is another one than the recipient's.
    book_details : bool
        Whether books have `currency` and `timestamps`.
    ticker_secs : float
        Time between tickers.
    trades_2019 : bool
        Market trades in the shape of 2019: integer quantity, no `is_decimal`.
    flow : FlowSettings
        The background market.
    """

    accounts: int = 1
    users: int = 3
    enterprise: bool = False
    balances: dict[str, Decimal] = field(default_factory=_balances)
    check_funds: bool = True
    maker_rate: Decimal = Decimal("0.00021")
    net_price_rate: Decimal = Decimal("0.00035")
    smart_rate: Decimal = Decimal("0.00105")
    volume: Decimal = Decimal("2302868.809741")

    token_lifetime_secs: float = 86_400.0
    token_millis: bool = True
    user_token_on_ws: bool = False
    market_data_needs_auth: bool = True
    public_rest_needs_auth: bool = True

    rest_limits: bool = True
    ws_limits: bool = True
    limit_time_scale: float = 1.0
    retry_after: bool = False
    ws_limit_closes: bool = True
    subscribe_timeout_secs: float = 60.0
    maintenance: bool = False
    answer_pings: bool = True

    create_answer: CreateAnswer = CreateAnswer.STARTED
    create_stream: StreamOrder = StreamOrder.AFTER_ANSWER
    create_trades: StreamOrder = StreamOrder.AFTER_ANSWER
    cancel_stream: StreamOrder = StreamOrder.AFTER_ANSWER
    amend_stream: StreamOrder = StreamOrder.AFTER_ANSWER
    answer_lag_secs: float = 0.02
    match_delay_secs: float = 0.0
    fok_failure: FokFailure = FokFailure.REFUSED
    settlement: Settlement = Settlement.FILLED_THEN_DONE
    settle_secs: float = 0.05
    cancel_delay_secs: float = 0.02
    cancel_pending_update: bool = True
    fill_while_canceling: Decimal = Decimal(0)
    late_fills: bool = False
    late_fill_secs: float = 0.05
    cancel_answer: CancelAnswer = CancelAnswer.STATUS
    cancel_by_client_id: bool = False
    finished_cancel_status: int = 200
    amend_answer: AmendAnswer = AmendAnswer.ORDER
    unknown_order_status: int = 404
    duplicate_client_id_status: int = 422
    client_id_hours: float = 24.0
    max_client_id: int = 36
    min_quantity: Decimal = Decimal("0.001")
    min_amount: Decimal = Decimal(5)
    fiat_price_decimals: int = 2
    crypto_price_decimals: int = 8
    excess_decimals: ExcessDecimals = ExcessDecimals.REFUSE
    amount_quantity: AmountQuantity = AmountQuantity.FILLED

    fills_shown: FillsShown = FillsShown.ONE_BY_ONE
    trades_order: TradesOrder = TradesOrder.AFTER_ORDERS
    trades_delay_secs: float = 0.0
    trades_on_feed: bool = True
    rest_trades_delay_secs: float = 0.0
    trade_id_shared: bool = True
    duplicate_orders: bool = False
    duplicate_trades: bool = False
    stale_orders: bool = False
    rest_trades_overlap: int = 0

    initial_orders: InitialList = InitialList.ALWAYS
    initial_user_orders: InitialList = InitialList.IF_ANY
    initial_trades: InitialList = InitialList.NEVER
    initial_balances: InitialList = InitialList.NEVER
    payload_shape: PayloadShape = PayloadShape.ARRAY
    feed_shape: FeedShape = FeedShape.SAMPLE
    feed_without: tuple[str, ...] = ()
    feed_numbers: bool = False
    rest_strings: bool = False
    padded_decimals: bool = False
    spelling: Spelling = Spelling.TITLE
    partial_is_filled: bool = False
    algorithm_options: object = None
    action_case: ActionCase = ActionCase.TITLE
    balances_shown: BalancesShown = BalancesShown.ALL
    balances_2020: bool = False
    held_shows_orders: bool = True
    enterprise_trades: EnterpriseTrades = EnterpriseTrades.WRAPPED
    date_added: bool = True
    orders_2020: bool = False
    filled_listed: FilledListed = FilledListed.DONE
    done_includes_canceled: bool = True
    cursor_direction: CursorDirection = CursorDirection.OLDER
    pairs_2020: bool = False
    ack_shape: AckShape = AckShape.FULL
    error_shape: ErrorShape = ErrorShape.TYPE

    book_levels: int = 120
    book_interval_secs: float = 0.1
    book_on_subscribe: bool = True
    book_duplicates: bool = True
    book_order: BookOrder = BookOrder.BEST_FIRST
    book_crossed: bool = False
    book_wrong_pair: bool = False
    book_details: bool = False
    ticker_secs: float = 3.0
    trades_2019: bool = False
    flow: FlowSettings = FlowSettings()  # noqa: RUF009 - frozen

    def __post_init__(self) -> None:
        """Take plain values (from a command line) for decimals and enums."""
        for name, kind in get_type_hints(SfoxTwinOptions).items():
            value = getattr(self, name)
            if kind is Decimal:
                setattr(self, name, Decimal(str(value)))
            elif isinstance(kind, type) and issubclass(kind, Enum):
                setattr(self, name, kind(value))
        self.balances = {currency: Decimal(str(amount)) for currency, amount in self.balances.items()}
        self.feed_without = tuple(self.feed_without)
