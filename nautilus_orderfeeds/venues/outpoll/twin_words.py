"""The words of the simulated Outpoll: what it says on the wire, and the readings that its pages leave open."""

from __future__ import annotations

from enum import Enum


class Service(Enum):
    """A private stream: its path on the one port of the simulation (protocol 3)."""

    ORDERS = "/order/ws"
    FEED = "/history/order/ws"
    BALANCES = "/balance/ws"

    @property
    def signed_path(self) -> str:
        """What its AUTH signs; Order Feed has on its own host the very path of Order Updates."""
        return Service.ORDERS.value if self is Service.FEED else self.value


class PublicStream(Enum):
    """A public stream by its path (protocol 3)."""

    BOOK = "/event/ws"
    CHANCE = "/ws"
    ACTIVITY = "/history/ws"
    LAST_TRADES = "/last-trades/ws"


class Status(Enum):
    """What the history service knows an order as; only ACTIVE and FILLED are documented (7)."""

    ACTIVE = "ACTIVE"
    FILLED = "FILLED"
    CANCELED = "CANCELED"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"


class Outcome(Enum):
    """The status `s` of an ORDER_UPDATE."""

    SUCCESS = "SUCCESS"
    FAILED = "FAILED"


class UpdateMeaning(Enum):
    """What an ORDER_UPDATE tells of (6.1): (a) the result of a request, (b) an execution, or (c) both."""

    REQUESTS = "a"
    EXECUTIONS = "b"
    BOTH = "c"


class UpdateTime(Enum):
    """
    When the ORDER_UPDATEs that a REST call causes at once come, seen from its answer.

    `INSTEAD_OF_ANSWER`: the update comes, and the answer to placing is 2xx without an order id. (No answer at
    all is the fault LOST_ANSWER.)
    """

    BEFORE_ANSWER = "before"
    AFTER_ANSWER = "after"
    INSTEAD_OF_ANSWER = "instead"
    NEVER = "never"


class Refusal(Enum):
    """How an order without funds is refused: by 400, or by a FAILED update after a 2xx."""

    BY_ANSWER = "answer"
    BY_UPDATE = "update"


class ActiveQuantity(Enum):
    """What `quantity` of an active order is (5.6)."""

    ORIGINAL = "original"
    REMAINING = "remaining"


class HistoryQuantity(Enum):
    """What `q` of the order history is (5.7)."""

    FILLED = "filled"
    REMAINING = "remaining"
    ORIGINAL = "original"


class HistoryPrice(Enum):
    """What `p` of the order history is (5.7): the limit (for a market order the average), or the average."""

    LIMIT = "limit"
    AVERAGE = "average"


class HistoryTime(Enum):
    """What `m` of the order history is (5.7)."""

    CREATED = "created"
    CHANGED = "changed"


class AmountUnit(Enum):
    """What `oq` and `q` of a market BUY count (12): shares, or the USDC of `am`."""

    SHARES = "shares"
    QUOTE = "quote"


class AuthReply(Enum):
    """The answer to a good AUTH: as documented, with `t` in the other case, or none."""

    DOCUMENTED = "documented"
    OTHER_CASE = "other_case"
    SILENT = "silent"


class AuthFailure(Enum):
    """The answer to a bad AUTH (4.4 [?])."""

    ERROR = "error"
    ERROR_AND_CLOSE = "error_and_close"
    CLOSE = "close"
    SILENT = "silent"


class PongMode(Enum):
    """What a PONG message does: nothing; it is demanded before the next PING; it is an error (trap 9)."""

    IGNORED = "ignored"
    REQUIRED = "required"
    ERROR = "error"


class NumberStyle(Enum):
    """How numbers are written: `0.1`, `0.10`, `1E-1`, or each in turn."""

    PLAIN = "plain"
    PADDED = "padded"
    EXPONENT = "exponent"
    MIXED = "mixed"


class EmptySide(Enum):
    """What stands for the price of an empty side of the book (6.4 [?])."""

    NULL = "null"
    ZERO = "zero"
    ABSENT = "absent"


class ErrorBody(Enum):
    """What a REST error says (8 [?])."""

    JSON = "json"
    TEXT = "text"
    EMPTY = "empty"


class BalanceOrder(Enum):
    """Which of the deltas of one trade comes first."""

    TOKEN_FIRST = "token"
    QUOTE_FIRST = "quote"
