"""Frames of the private streams, told apart by their shape (protocol, 6.1 to 6.3)."""

from decimal import Decimal
from enum import Enum, unique

from msgspec import Struct

from nautilus_orderfeeds.feed.errors import FrameError
from nautilus_orderfeeds.venues.decoding import check_id
from nautilus_orderfeeds.venues.outpoll import wire
from nautilus_orderfeeds.venues.outpoll.words import FAILED, SUCCESS, VENUE


class Ping(Struct, frozen=True):
    """Heartbeat, or a confirmation that says nothing."""


class Hint(Struct, frozen=True):
    """Something happened to an order: `failed` or not, nobody knows what."""

    venue_order_id: str
    failed: bool


class Snapshot(Struct, frozen=True):
    """All balances."""

    balances: list[wire.BalanceRow]


@unique
class Kind(Enum):
    """Types of envelopes."""

    ORDER_UPDATE = "ORDER_UPDATE"
    TPSL_UPDATE = "TPSL_UPDATE"
    PING = "PING"
    SUCCESS = "SUCCESS"
    ERROR = "ERROR"


class Unforeseen(Struct, frozen=True):
    """An envelope of a type that no page documents (the Order Feed's, protocol 6.2)."""

    kind: str


PrivateFrame = Ping | Hint | Snapshot | wire.BalanceDelta | wire.TpslData | Unforeseen


def decode_frame(raw: bytes) -> PrivateFrame:
    """Decode one frame.

    Raises
    ------
    FrameError
        If it is malformed or contradicts the protocol.
    """
    envelope = wire.decode(wire.ENVELOPE, raw, "a JSON object with t, or a balance change (protocol 6)")
    if envelope.t is None:
        return _delta(raw)
    try:
        kind = Kind(envelope.t.upper())
    except ValueError:
        return Unforeseen(envelope.t[:60])
    match kind:
        case Kind.ORDER_UPDATE:
            return _hint(raw, bytes(envelope.d))
        case Kind.TPSL_UPDATE:
            return _tpsl(raw, bytes(envelope.d))
        case Kind.PING:
            return Ping()
        case Kind.SUCCESS:
            return _success(raw, bytes(envelope.d))
        case Kind.ERROR:
            raise FrameError(VENUE, raw, "no error after AUTH (protocol 8)")


def _hint(raw: bytes, data: bytes) -> Hint:
    hint = wire.decode(wire.ORDER_HINT, data, "data of an ORDER_UPDATE (protocol 6.1)")
    if hint.s not in (SUCCESS, FAILED):
        raise FrameError(VENUE, raw, "status SUCCESS or FAILED (protocol 6.1)")
    return Hint(_id(raw, hint.i), hint.s == FAILED)


def _tpsl(raw: bytes, data: bytes) -> wire.TpslData:
    update = wire.decode(wire.TPSL, data, "data of a TPSL_UPDATE (protocol 6.1)")
    _id(raw, update.i)
    _id(raw, update.a)
    _numbers(raw, update.q, update.tpp, update.slp)
    return update


def _success(raw: bytes, data: bytes) -> PrivateFrame:
    if data[:1] != b"{" or b'"l"' not in data:
        return Ping()  # a confirmation without data
    balances = wire.decode(wire.BALANCES, data, "the balance snapshot (protocol 6.3)").l
    for row in balances:
        _id(raw, row.i)
        _numbers(raw, row.b, row.f)
    return Snapshot(balances)


def _delta(raw: bytes) -> wire.BalanceDelta:
    delta = wire.decode(wire.BALANCE_DELTA, raw, "a balance change with a, b and f (protocol 6.3)")
    _id(raw, delta.a)
    _numbers(raw, delta.b, delta.f)
    return delta


def _id(raw: bytes, value: str) -> str:
    try:
        return check_id("id", value)
    except ValueError as exc:
        raise FrameError(VENUE, raw, f"a readable id ({exc})") from None


def _numbers(raw: bytes, *values: Decimal | None) -> None:
    try:
        wire.check_numbers(*values)
    except ValueError as exc:
        raise FrameError(VENUE, raw, f"sensible numbers ({exc})") from None
