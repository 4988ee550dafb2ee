"""What goes over sFOX's private feeds and REST interface, one struct a message (protocol, sections 3, 5, 7 and 8).

Every decoder is lenient where the venue is known to vary: decimals as text or numbers, any field but the id absent
(a feed tells a subset), further keys, a payload as JSON text. Decimals come straight from the wire's text.
"""

from decimal import Decimal
from typing import Annotated, Any, Final

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from nautilus_orderfeeds.feed.errors import FrameError
from nautilus_orderfeeds.orders.decimals import plain
from nautilus_orderfeeds.venues import decoding
from nautilus_orderfeeds.venues.decoding import DECODE_ERRORS as DECODE_ERRORS
from nautilus_orderfeeds.venues.sfox.words import VENUE

#: UNIX ns, of the WebSocket's envelope.
Nanos = Annotated[int, Meta(ge=0, le=2**63 - 1)]

Id = Annotated[int, Meta(gt=0)]

#: As nanoseconds this is 1973, as microseconds 5138.
_LEAST_NS: Final = 10**17


class Order(Struct, kw_only=True):
    """One order, over REST or a feed (protocol, 5). Unused keys are left out."""

    id: Id
    client_order_id: str | None = None
    date_added: str | None = None
    status: str | None = None
    filled: Decimal | None = None
    filled_amount: Decimal | None = None
    vwap: Decimal | None = None
    price: Decimal | None = None
    quantity: Decimal | None = None
    pair: str | None = None
    action: str | None = None
    algorithm_id: int | None = None
    fees: Decimal | None = None
    amount: Decimal | None = None
    status_code: int | None = None
    time_in_force: str | None = None
    expires: str | int | None = None
    dateupdated: str | None = None
    user_tx_id: str | None = None
    # The side in the shape of 2020.
    o_action: str | None = None


class Trade(Struct, kw_only=True):
    """One own fill (protocol, 7.5 and 8.4); `amount` and `net_amount` follow from the rest."""

    trade_id: Id
    order_id: Id
    date_updated: str | None = None
    action: str | None = None
    currency_pair: str | None = None
    quantity: Decimal
    price: Decimal
    fees: Decimal | None = None
    cursor: str | None = None


class Balance(Struct, kw_only=True):
    """Balance of one currency (protocol, 7.6 and 8.5)."""

    currency: str
    balance: Decimal
    available: Decimal


class BalanceKind(Struct, kw_only=True):
    """What may be read of any row of the balances feed: a wallet's is of type `web3`."""

    type: str | None = None
    currency: str | None = None


class Head(Struct, kw_only=True):
    """A frame's envelope (protocol, 8.1): data has a `recipient`, a control message a `type`."""

    recipient: str | None = None
    sequence: int | None = None
    timestamp: Nanos = 0
    payload: Raw | UnsetType = UNSET
    type: str | None = None
    action: str | None = None
    error: Raw | UnsetType = UNSET
    message: str | None = None


class Rows(Struct, kw_only=True):
    """Payload of an end users' feed: one user's rows."""

    user_id: str
    updates: Raw


class UserKey(Struct, kw_only=True):
    """The user of one row, where the rows themselves name them."""

    user_id: str | None = None


class IdKey(Struct, kw_only=True):
    """What may still be read of an order or trade that cannot be read as a whole."""

    id: Id | None = None
    order_id: Id | None = None


class CreateOrder(Struct, omit_defaults=True, kw_only=True):
    """Body of ``POST /v1/orders/:side`` (protocol, 7.1); decimals as text."""

    currency_pair: str
    algorithm_id: int
    client_order_id: str
    price: str | None = None
    quantity: str | None = None
    amount: str | None = None
    time_in_force: str | None = None
    expires: int | None = None
    max_slippage: float | None = None
    routing_type: str | None = None
    routing_option: str | None = None
    total_time: int | None = None
    interval: int | None = None
    continuous: bool | None = None
    post_only: bool | None = None


class Create(Struct, kw_only=True):
    """One new order, ready to send."""

    side: str
    order: CreateOrder


class AmendOrder(Struct, omit_defaults=True, kw_only=True):
    """Body of ``PATCH /v1/orders/:order_id`` (protocol, 7.4); numbers, as its sample has them."""

    quantity: Raw | None = None
    price: Raw | None = None


class CancelAnswer(Struct, kw_only=True):
    """Answer to the cancel of one order (protocol, 7.3)."""

    status: str = ""
    id: Id | None = None


class CanceledOrder(Struct, kw_only=True):
    """One order of the answer to the cancel of several."""

    id: Id
    status: str = ""


class CancelManyAnswer(Struct, kw_only=True):
    """Answer to ``DELETE /v1/orders?ids=``: only those that could be cancelled."""

    orders: list[CanceledOrder] | None = None


class ErrorBody(Struct, kw_only=True):
    """Body of an answer that is no success; a finished order may be told by `status`."""

    error: str = ""
    status: str = ""

    @property
    def text(self) -> str:
        """What the venue says."""
        return self.error or self.status


class UserToken(Struct, kw_only=True):
    """A user token (protocol, 3)."""

    token: str
    expires: str | None = None
    partner_user_id: str | None = None

    def __repr__(self) -> str:
        return f"UserToken({self.partner_user_id!r}, expires {self.expires!r})"


class UserTokenAnswer(Struct, kw_only=True):
    """Answer to ``POST /v1/enterprise/user-tokens/:user_id``."""

    data: UserToken


class TradePage(Struct, kw_only=True):
    """Answer to ``GET /v1/account/trades``, newest first."""

    data: list[Trade] | None = None


class Pair(Struct, kw_only=True):
    """One entry of ``GET /v1/markets/currency-pairs``."""

    symbol: str = ""
    formatted_symbol: str = ""
    base: str = ""
    quote: str = ""


class CurrencyInfo(Struct, kw_only=True):
    """One entry of ``GET /v1/currency``; flags are 0 or 1."""

    symbol: str = ""
    code: str = ""
    is_fiat: int | bool | None = None
    trading_enabled: int | bool | None = None


class FeeRates(Struct, kw_only=True):
    """Answer to ``GET /v1/account/fee-rates``: fractions of the notional."""

    makerRate: Decimal | None = None  # noqa: N815 - the wire's name
    nprRate: Decimal | None = None  # noqa: N815 - the wire's name
    nprOffRate: Decimal | None = None  # noqa: N815 - the wire's name


def decoder[T](type_: type[T]) -> "msgspec.json.Decoder[T]":
    """Make a lenient decoder (integers may come as text)."""
    return msgspec.json.Decoder(type_, strict=False)


HEAD: Final = decoder(Head)
ROWS: Final = decoder(Rows)
RAW_LIST: Final[msgspec.json.Decoder[list[Raw] | None]] = msgspec.json.Decoder(list[Raw] | None)
TEXT: Final[msgspec.json.Decoder[str]] = msgspec.json.Decoder(str)
USER_KEY: Final = decoder(UserKey)
ID_KEY: Final = decoder(IdKey)
ORDER: Final = decoder(Order)
#: A bare array; a gateway may write an empty one as null.
ORDERS: Final[msgspec.json.Decoder[list[Order] | None]] = msgspec.json.Decoder(list[Order] | None, strict=False)
TRADE: Final = decoder(Trade)
TRADE_PAGE: Final = decoder(TradePage)
BALANCE: Final = decoder(Balance)
BALANCE_KIND: Final = decoder(BalanceKind)
BALANCES: Final[msgspec.json.Decoder[list[Balance] | None]] = msgspec.json.Decoder(list[Balance] | None, strict=False)
CANCEL_ANSWER: Final = decoder(CancelAnswer)
CANCEL_MANY_ANSWER: Final = decoder(CancelManyAnswer)
ERROR_BODY: Final = decoder(ErrorBody)
USER_TOKEN_ANSWER: Final = decoder(UserTokenAnswer)
PAIRS: Final[msgspec.json.Decoder[dict[str, Raw]]] = msgspec.json.Decoder(dict[str, Raw])
PAIR: Final = decoder(Pair)
CURRENCIES: Final[msgspec.json.Decoder[list[CurrencyInfo]]] = msgspec.json.Decoder(list[CurrencyInfo], strict=False)
FEE_RATES: Final = decoder(FeeRates)
#: Anything, with numbers that are no integers as their text.
ANYTHING: Final = msgspec.json.Decoder(float_hook=str)

_encoder = msgspec.json.Encoder()


def encode(message: Any) -> bytes:
    """Encode a request body or an outgoing frame."""
    return _encoder.encode(message)


def decode[T](decoder_: "msgspec.json.Decoder[T]", raw: bytes, expected: str) -> T:
    """Decode one message; raises `FrameError`."""
    return decoding.decode(VENUE, decoder_, raw, expected)


def number(value: Decimal) -> Raw:
    """Return the digits of `value`, without an exponent: msgspec would write ``Decimal("1E+4")`` as it is."""
    return Raw(plain(value).encode())


def frame_ns(head: Head) -> int:
    """Return a frame's time, UNIX ns: two pages of the venue say microseconds, all samples have nanoseconds."""
    return head.timestamp * 1_000 if head.timestamp < _LEAST_NS else head.timestamp


def payload_of(head: Head, raw: bytes) -> bytes:
    """Return a data frame's payload; one that is JSON text is unwrapped (protocol, 8.1).

    Raises
    ------
    FrameError
        If there is none.
    """
    if head.payload is UNSET:
        raise FrameError(VENUE, raw, "a data frame with a payload (protocol 8.1)")
    payload = bytes(head.payload)
    if payload[:1] == b'"':
        return decode(TEXT, payload, "a payload (protocol 8.1)").encode()
    return payload


def rows_of(payload: bytes) -> list[Raw]:
    """Return the rows of a payload: a list of them, the one that it is, or none (protocol, 8.2)."""
    if payload.lstrip()[:1] == b"{":
        return [Raw(payload)]
    return decode(RAW_LIST, payload, "a list of rows (protocol 8.2 to 8.5)") or []
