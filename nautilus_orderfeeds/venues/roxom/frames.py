"""Decoding the frames of the private stream (protocol, 5.1 to 5.4)."""

import logging
from collections.abc import Callable
from typing import Any, Final

import msgspec

from nautilus_orderfeeds.feed.errors import FrameError
from nautilus_orderfeeds.venues.base import AccountChanged, Gap, Readback, VenueData, VenueMessage
from nautilus_orderfeeds.venues.decoding import DECODE_ERRORS, decode
from nautilus_orderfeeds.venues.roxom import wire
from nautilus_orderfeeds.venues.roxom.codec import OrderCodec
from nautilus_orderfeeds.venues.roxom.words import VENUE, WireStatus

_log = logging.getLogger(__name__)

#: Kinds of the `VenueData` made of account events.
BALANCE: Final = "BALANCE"
POSITION: Final = "POSITION"
ACCOUNT: Final = "ACCOUNT"

#: An error that means: this connection is not ours any more (5.1).
AUTHENTICATION_ERRORS: Final = frozenset({"600010", "600011", "600012"})

_ACCOUNT_CHANGED: Final = AccountChanged()
_EXPECTED: Final = "an account event (protocol 5.2)"

_row: Final[msgspec.json.Decoder[dict[str, Any]]] = msgspec.json.Decoder(dict[str, Any], float_hook=str)
_anything: Final[msgspec.json.Decoder[Any]] = msgspec.json.Decoder(float_hook=str)
_rows: Final[msgspec.json.Decoder[list[dict[str, Any]]]] = msgspec.json.Decoder(list[dict[str, Any]], float_hook=str)


class PrivateDecoder:
    """Decodes the frames of the private stream.

    Parameters
    ----------
    codec : OrderCodec
        Reads the orders in them.
    is_creating : Callable[[], bool]
        Whether an order was sent that the venue has not named yet: an event of an unknown order may be its own.
    """

    def __init__(self, codec: OrderCodec, is_creating: Callable[[], bool]) -> None:
        self._codec = codec
        self._is_creating = is_creating
        # Unknown orders of which an event told too little while one of ours was being created.
        self._untold: list[str] = []

    def decode(self, raw: bytes) -> list[VenueMessage]:
        """Decode one frame.

        Returns
        -------
        list[VenueMessage]
            An `OrderUpdate` for an order event, a `Readback` beside it where the event alone does not tell what the
            order is or whether it ended; `VenueData` and `AccountChanged` for the other account events.

        Raises
        ------
        FrameError
            If it is malformed, of an unknown type or status, or of a market-data channel.
        """
        try:
            event = wire.ORDER_FRAME.decode(raw).data
        except DECODE_ERRORS:
            return self._second_look(raw)
        return self._order(event, raw)

    def _order(self, event: wire.OrderEvent, raw: bytes) -> list[VenueMessage]:
        try:
            update = self._codec.event(event)
        except ValueError as exc:
            raise FrameError(VENUE, raw, f"an order event (protocol 5.3; {exc})") from None
        messages: list[VenueMessage] = [update]
        if event.status is WireStatus.INACTIVE:
            messages.append(Readback(event.order_id, "inactive may be an end or none"))
        elif update.side is None:
            self._follow_up(event.order_id)
        messages += self._due_readbacks()
        if event.executed_qty:
            messages.append(_ACCOUNT_CHANGED)
        return messages

    def _follow_up(self, order_id: str) -> None:
        """Have an order read back once that is not known to be ours, and of which the event tells no side."""
        memory = self._codec.memories.of(order_id)
        if not memory.asked_back:
            memory.asked_back = True
            self._untold.append(order_id)

    def _due_readbacks(self) -> list[VenueMessage]:
        if not self._untold or self._is_creating():
            return []
        untold, self._untold = self._untold, []
        is_own = self._codec.memories.is_own
        return [Readback(order_id, "an order event without a side") for order_id in untold if not is_own(order_id)]

    def _second_look(self, raw: bytes) -> list[VenueMessage]:
        envelope = decode(VENUE, wire.ENVELOPE, raw, _EXPECTED)
        if envelope.event is not None:
            return self._control(raw)
        if envelope.topic is not None:
            raise FrameError(VENUE, raw, f"{_EXPECTED}, not market data")
        data = bytes(envelope.data)
        match envelope.type:
            case "order":
                return self._order(decode(VENUE, wire.ORDER_EVENT, data, "an order event (protocol 5.3)"), raw)
            case "balance":
                row = decode(VENUE, _row, data, "a balance event (protocol 5.4)")
                return [_told(BALANCE, row), _ACCOUNT_CHANGED]
            case "position":
                rows = decode(VENUE, _rows, data, "a position event, an array (protocol 5.4)")
                return [*(_told(POSITION, row) for row in rows), _ACCOUNT_CHANGED]
            case "account":
                return [VenueData(kind=ACCOUNT, data={"account": _plain(data)}), _ACCOUNT_CHANGED]
            case _:
                raise FrameError(VENUE, raw, _EXPECTED)

    def _control(self, raw: bytes) -> list[VenueMessage]:
        control = decode(VENUE, wire.CONTROL, raw, "a control frame (protocol 5.1)")
        if control.event != "error":
            return []
        code, said = str(control.code), (control.msg or "")[:200]
        if code in AUTHENTICATION_ERRORS:
            return [Gap(f"{said} ({code})")]
        raise FrameError(VENUE, raw, f"no error of the venue; it says {said!r} ({code})")


def _told(kind: str, row: dict[str, Any]) -> VenueData:
    """Make a row available to strategies; numbers stay as they are written."""
    symbol, time = row.get("symbol"), row.get("timestamp", row.get("updatedAt"))
    return VenueData(
        kind=kind,
        data=row,
        symbol=symbol.upper() if isinstance(symbol, str) and symbol else None,
        ts_event=time if isinstance(time, int) and not isinstance(time, bool) and 0 < time < 2**63 else 0,
    )


def _plain(data: bytes) -> Any:
    return _anything.decode(data)
