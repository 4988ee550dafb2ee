"""What the acceptance cases must be told of a venue: the form of a profile (the venues' own are in `profiles`)."""

import importlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum, unique
from functools import cached_property
from typing import Any

from nautilus_trader.model.enums import OrderType, TimeInForce
from nautilus_trader.model.identifiers import AccountId, InstrumentId

from nautilus_orderfeeds.sim.faults import Fault
from nautilus_orderfeeds.sim.model import SimOrder

Call = tuple[str, str]
"""A REST call of the venue: method and path (without a query)."""


#: Longer than the request timeout of the cases.
SLOW_SECS = 2.0

#: The venue took the request, and its answer says nothing of it.
REST_AFTER_EFFECT: tuple[tuple[Fault, dict[str, Any]], ...] = (
    (Fault.LOST_ANSWER, {}),
    (Fault.RESET, {}),
    (Fault.GARBAGE, {}),
    (Fault.SLOW_ANSWER, {"secs": SLOW_SECS}),
    (Fault.ERROR_AFTER_EFFECT, {"status": 500}),
    (Fault.ERROR_AFTER_EFFECT, {"status": 503}),
)
#: The venue did not take the request, and its answer does not say that either.
REST_WITHOUT_EFFECT: tuple[tuple[Fault, dict[str, Any]], ...] = (
    (Fault.ERROR_BEFORE_EFFECT, {"status": 500}),
    (Fault.ERROR_BEFORE_EFFECT, {"status": 502}),
    (Fault.RATE_LIMIT, {"retry_after": 0.4}),
)


@unique
class How(Enum):
    """By what a user learns that the venue cannot do what was asked for."""

    DENIED = "OrderDenied, and nothing is sent"
    MODIFY_REJECTED = "OrderModifyRejected, and nothing is sent"
    LOGGED = "an error in the log, and no data"


@dataclass(frozen=True)
class Refusal:
    """A case the venue cannot do; `reason` must be part of what the user is told, `after` so many orders it can do."""

    how: How
    reason: str
    after: int = 0


@dataclass(frozen=True, kw_only=True)
class VenueProfile:
    """One venue.

    Parameters
    ----------
    name, prefix : str
        Of the simulation (``"bsx"``) and of the public classes (``"Bsx"``).
    venue : str
        The framework's venue, client id and name of the factories.
    instrument, other_instrument : str
        Two instruments of the listing; `product`, `other_product` are the same in the venue's own words.
    qty : str
        An order quantity that the best level of the simulated book can fill at once, divisible by `parts`.
    parts : int
        Into how many equal fills `qty` can be cut.
    exec_options, data_options : Mapping[str, Any]
        Config fields that make the venue's client fast enough for a test.
    sim_options, data_sim_options : Mapping[str, Any]
        Options of every simulation of the venue; of those of the data cases besides.
    submit, submit_many, cancel, cancel_many, modify, open_orders, one_order : Call, optional
        The venue's REST calls; None where it has none.
    order_frames : str
        Name (or pattern of names) by which faults know a frame about orders.
    params, params_arrived : Mapping, Callable, optional
        Venue params of an order, and whether a simulated order shows them.
    unsupported_types, unsupported_forces
        What must be denied (TC-E72, TC-E73).
    stays_pending, slow_cancel : Callable[[float], Mapping]
        Options of the simulation: an order is accepted, a cancel takes effect, only after so many seconds.
    stream_first : Mapping
        Options of the simulation: the stream tells of an order before its submit is answered.
    without_pending : Mapping
        Options of the simulation: the first frame about an order is the one that tells what became of it.
    fill_by_fill : Mapping
        Options of the simulation: an order that takes several levels is told fill by fill, a frame each.
    answer_accepts : bool
        The answer to a submit says that the order is live.
    asks_for_trades : bool
        The venue can be asked which trades an order had.
    tells_trades : bool
        The stream tells each trade; otherwise only how much was filled and at what average, rounded to a tick at most.
    tells_orders : Callable[[bytes], bool]
        Whether a frame is about orders or their trades.
    tells_end : Callable[[bytes], bool]
        Whether a frame is the last about an order.
    unfilled_frame : Callable[[bytes], bytes]
        Make of a frame about an order the one that the venue would have sent if nothing had been filled.
    cannot_cover : Mapping
        Options of the simulation: an order beyond the account's margin is refused in the answer.
    beyond_margin : str
        A quantity that the account cannot pay for.
    margin_words : str
        What the venue says of an order beyond the account's margin.
    reduces_only : bool
        The venue knows reduce-only orders; otherwise positions are closed by plain ones.
    expiry_unit_ns : int
        How fine the venue takes an order's expiry, ns.
    sends_market_force : bool
        A market order's time in force goes to the venue.
    amount : str
        How much quote currency a market buy is to spend, where one in base units is denied.
    sends_client_order_ids : bool
        The venue is told an id of ours.
    positions_follow_ledger : bool
        The simulation serves positions from the shared ledger, so that a test can take a trade back there.
    lists_steps : bool
        The listing tells the steps of prices and quantities, and the smallest quantity of an order.
    bars : str
        Which bars to ask for.
    wire_trade_id : Callable[[str], str], optional
        What the venue calls a trade of the simulation; None where that does not follow from the simulation's own id.
    amend_elsewhere : Callable[[Any, str, Decimal], Awaitable[None]], optional
        Change the price of an order (by the venue's id) as another program with the same account would.
    is_public : Callable[[Any], bool]
        Whether a connection to the simulation is the data client's.
    market_data : frozenset[str]
        Which of quotes, trades and book the data client has.
    after_effect, without_effect : tuple[tuple[Fault, dict[str, Any]], ...]
        Faults by which a request takes effect, or does not, without an answer that says so.
    proves_absence : bool
        The venue says soon and for certain that it never received an order.
    says_to_wait : bool
        The venue may answer that requests are to wait (HTTP 429).
    blinding : tuple[Fault, str]
        Which fault on which requests keeps every answer to a question about orders from arriving.
    has_rest : bool
        There is something to reach beside the stream; without it, requests share its fate.
    frames_tell : bool
        Frames about orders say what happened to them; otherwise they only make the client read it back.
    refuses_by_429 : bool
        HTTP 429 for an order says for certain that it was not taken.
    tob_offset_ticks : int
        How far the tester's own orders rest from the best price.
    nearer_ticks : int
        By how many ticks less than the cases say other orders rest from it, where prices have a narrow range.
    prices : tuple[Decimal, Decimal], optional
        Lowest and highest price of an order.
    symbol_of : Callable[[str], str]
        Makes the framework's symbol of the venue's: in upper case, unless it is an id that must stay as it is.
    endow : Callable[[Any], None], optional
        Give the account of a running simulation what it is to sell, where nobody can sell what they do not hold.
    secrets : tuple[str, ...]
        Credential fields without which the client must not start, and whose values must be shown nowhere.
    bad_logins : Mapping
        Name -> (config fields with wrong credentials, what the user must read about it).
    refused : Mapping[str, Refusal]
    not_applicable : Mapping[str, str]
        By case id.
    """

    name: str
    prefix: str
    venue: str
    instrument: str
    product: str
    other_instrument: str
    other_product: str
    qty: str
    parts: int
    exec_options: Mapping[str, Any]
    data_options: Mapping[str, Any]
    sim_options: Mapping[str, Any] = field(default_factory=dict)
    data_sim_options: Mapping[str, Any] = field(default_factory=dict)
    submit: Call
    submit_many: Call | None
    cancel: Call
    cancel_many: Call | None
    modify: Call | None = None
    open_orders: Call
    one_order: Call | None = None
    order_frames: str
    params: Mapping[str, Any] = field(default_factory=dict)
    params_arrived: Callable[[SimOrder], bool] | None = None
    unsupported_types: tuple[OrderType, ...] = ()
    unsupported_forces: tuple[tuple[OrderType, TimeInForce], ...] = ()
    stays_pending: Callable[[float], Mapping[str, Any]]
    slow_cancel: Callable[[float], Mapping[str, Any]]
    stream_first: Mapping[str, Any]
    without_pending: Mapping[str, Any]
    fill_by_fill: Mapping[str, Any]
    answer_accepts: bool = False
    asks_for_trades: bool
    tells_trades: bool = True
    tells_orders: Callable[[bytes], bool] = lambda _: True
    tells_end: Callable[[bytes], bool] = lambda raw: b"DONE" in raw
    unfilled_frame: Callable[[bytes], bytes]
    cannot_cover: Mapping[str, Any] = field(default_factory=dict)
    beyond_margin: str = ""
    margin_words: str = "insufficient margin"
    reduces_only: bool = True
    expiry_unit_ns: int = 1
    sends_market_force: bool = True
    amount: str = ""
    sends_client_order_ids: bool = True
    positions_follow_ledger: bool = True
    lists_steps: bool = True
    bars: str = "1-MINUTE-LAST"
    wire_trade_id: Callable[[str], str] | None = str
    amend_elsewhere: Callable[[Any, str, Decimal], Awaitable[None]] | None = None
    is_public: Callable[[Any], bool] = lambda connection: not connection.account
    market_data: frozenset[str] = frozenset({"quotes", "trades", "book"})
    after_effect: tuple[tuple[Fault, dict[str, Any]], ...] = REST_AFTER_EFFECT
    without_effect: tuple[tuple[Fault, dict[str, Any]], ...] = REST_WITHOUT_EFFECT
    proves_absence: bool = False
    says_to_wait: bool = True
    blinding: tuple[Fault, str] = (Fault.ERROR_BEFORE_EFFECT, "GET *")
    has_rest: bool = True
    frames_tell: bool = True
    refuses_by_429: bool = False
    tob_offset_ticks: int = 50
    nearer_ticks: int = 0
    prices: tuple[Decimal, Decimal] | None = None
    symbol_of: Callable[[str], str] = str.upper
    endow: Callable[[Any], None] | None = None
    secrets: tuple[str, ...] = ()
    bad_logins: Mapping[str, tuple[Mapping[str, Any], str]] = field(default_factory=dict)
    refused: Mapping[str, Refusal] = field(default_factory=dict)
    not_applicable: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def door(self) -> Any:
        """The venue's public module."""
        return importlib.import_module(f"nautilus_orderfeeds.venues.{self.name}")

    @property
    def exec_factory(self) -> Any:
        return getattr(self.door, f"{self.prefix}LiveExecClientFactory")

    @property
    def data_factory(self) -> Any:
        return getattr(self.door, f"{self.prefix}LiveDataClientFactory")

    @property
    def instrument_id(self) -> InstrumentId:
        return InstrumentId.from_str(self.instrument)

    @property
    def symbol(self) -> str:
        """The framework's symbol of `product`."""
        return self.instrument_id.symbol.value

    @property
    def other_symbol(self) -> str:
        """The framework's symbol of `other_product`."""
        return InstrumentId.from_str(self.other_instrument).symbol.value

    @property
    def account_id(self) -> AccountId:
        return AccountId(f"{self.venue}-001")

    @property
    def order_entry(self) -> frozenset[Call]:
        """Every call that changes an order."""
        calls = (self.submit, self.submit_many, self.cancel, self.cancel_many, self.modify)
        return frozenset(call for call in calls if call is not None)

    def __str__(self) -> str:
        return self.name
