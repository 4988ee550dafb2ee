"""
The choices of the simulated sFOX's switches (`SfoxTwinOptions`), and the venue's own words.

What the venue's pages leave open ([?] in `protocols/sfox/protocol.md`) is a choice here, so that a client can
be tried against every reading.
"""

from __future__ import annotations

from enum import Enum


class Status(Enum):
    """The documented order statuses with their codes (6)."""

    STARTED = ("Started", 100)
    CANCEL_PENDING = ("Cancel Pending", 90)
    CANCELED = ("Canceled", 10)
    FILLED = ("Filled", 210)
    DONE = ("Done", 300)

    def __init__(self, text: str, code: int) -> None:
        self.text = text
        self.code = code

    @property
    def is_open(self) -> bool:
        """Whether an order in this status may still be filled."""
        return self in (Status.STARTED, Status.CANCEL_PENDING)


class Channel(Enum):
    """The private feeds that every account has; the value is the end of their names (8.2-8.5)."""

    ORDERS = "open-orders"
    TRADES = "trades"
    BALANCES = "balances"


class CreateAnswer(Enum):
    """The state of a new order in the create answer: as it was taken in, or as it is by then (6)."""

    STARTED = "started"
    CURRENT = "current"


class FillsShown(Enum):
    """Whether each fill of one step of the market is told by itself, or all of them at once."""

    ONE_BY_ONE = "one_by_one"
    TOGETHER = "together"


class TradesOrder(Enum):
    """Whether a fill comes on the trades feed before or after the orders feed shows it."""

    BEFORE_ORDERS = "before_orders"
    AFTER_ORDERS = "after_orders"


class Settlement(Enum):
    """What follows when an order is full: `Filled` and later `Done`, only `Done`, or only `Filled` (6)."""

    FILLED_THEN_DONE = "filled_then_done"
    DONE_AT_ONCE = "done_at_once"
    FILLED_ONLY = "filled_only"


class FokFailure(Enum):
    """How a FOK order that cannot be filled whole ends: 422, or 201 and then `Canceled` (6)."""

    REFUSED = "refused"
    CANCELED = "canceled"


class InitialList(Enum):
    """Whether a subscription is followed by what there is now: always (also empty), if any, or never."""

    ALWAYS = "always"
    IF_ANY = "if_any"
    NEVER = "never"


class PayloadShape(Enum):
    """A list as payload: an array, one object a message, or JSON in a string (8.1, 8.2)."""

    ARRAY = "array"
    OBJECT = "object"
    TEXT = "text"


class FeedShape(Enum):
    """Which fields an order has on the feed: the sample's, the field table's, or all that REST has (5)."""

    SAMPLE = "sample"
    TABLE = "table"
    REST = "rest"


class Spelling(Enum):
    """How a status is written: `Cancel Pending`, `Cancel pending` or `cancel pending` (6)."""

    TITLE = "title"
    SENTENCE = "sentence"
    LOWER = "lower"

    def write(self, text: str) -> str:
        """`text` (in title case) in this spelling."""
        match self:
            case Spelling.TITLE:
                return text
            case Spelling.SENTENCE:
                return text.capitalize()
            case Spelling.LOWER:
                return text.lower()


class ActionCase(Enum):
    """How a side is written in orders and trades: `Buy`, `buy` or `BUY` (4)."""

    TITLE = "title"
    LOWER = "lower"
    UPPER = "upper"


class AckShape(Enum):
    """An acknowledgement with `payload` and `action`, or without both as in 2018 (8.1)."""

    FULL = "full"
    BARE = "bare"


class ErrorShape(Enum):
    """A WebSocket error: `"type":"error"`, or a top-level `error` text (8.1)."""

    TYPE = "type"
    ERROR_KEY = "error_key"


class CancelAnswer(Enum):
    """The answer of a single cancel: its status, the same with the order's id, or nothing (7.3)."""

    STATUS = "status"
    WITH_ID = "with_id"
    EMPTY = "empty"


class AmendAnswer(Enum):
    """The answer of an amend, which no page shows: the order, or nothing (7.4)."""

    ORDER = "order"
    EMPTY = "empty"


class ExcessDecimals(Enum):
    """What becomes of a price or quantity with too many decimals (4)."""

    REFUSE = "refuse"
    ROUND = "round"
    ACCEPT = "accept"


class AmountQuantity(Enum):
    """What `quantity` says of an order by amount: what is filled, zero, or an estimate (10.11)."""

    FILLED = "filled"
    ZERO = "zero"
    ESTIMATE = "estimate"


class CursorDirection(Enum):
    """Which fills `last_seen_id` asks for: those further down the page, or newer ones (7.5)."""

    OLDER = "older"
    NEWER = "newer"


class FilledListed(Enum):
    """In which list an order stands that is `Filled` but not settled."""

    DONE = "done"
    OPEN = "open"
    NEITHER = "neither"


class BookOrder(Enum):
    """How the levels of a book are sorted (8.6)."""

    BEST_FIRST = "best_first"
    WORST_FIRST = "worst_first"
    SHUFFLED = "shuffled"


class BalancesShown(Enum):
    """Which currencies an own-account balance message lists; an enterprise message lists all (8.5)."""

    ALL = "all"
    CHANGED = "changed"


class EnterpriseTrades(Enum):
    """Fills of end users: wrapped like their orders, or rows that each name the user (8.4)."""

    WRAPPED = "wrapped"
    FLAT = "flat"
