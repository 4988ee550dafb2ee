"""Decoding the frames of the private stream (protocol, 5.1 and 5.3).

The common case, an update of orders, is decoded once, straight into its structs. Everything else (controls,
errors, frames that do not fit) takes the second look.
"""

import logging
from typing import Final

from msgspec import UNSET

from nautilus_orderfeeds.feed.errors import FrameError, excerpt
from nautilus_orderfeeds.orders.updates import Source
from nautilus_orderfeeds.venues.base import AccountChanged, Gap, Readback, VenueData, VenueMessage
from nautilus_orderfeeds.venues.bsx import wire
from nautilus_orderfeeds.venues.bsx.codec import OrderCodec
from nautilus_orderfeeds.venues.bsx.control import channel_of, control_of
from nautilus_orderfeeds.venues.bsx.tolerant import decode_order
from nautilus_orderfeeds.venues.bsx.usual import UsualReader
from nautilus_orderfeeds.venues.bsx.words import VENUE, FrameType, WireChannel

_log = logging.getLogger(__name__)

#: Kind of the `VenueData` that tells of a liquidation.
LIQUIDATION: Final = "LIQUIDATION"

_decode: Final = wire.ORDERS_FRAME.decode

# Bound once: Python looks an enum's member up anew at every use.
_UPDATE: Final = FrameType.UPDATE
_STREAM: Final = Source.STREAM

_ACCOUNT_CHANGED: Final = AccountChanged()

#: HTTP's and gRPC's numbers for credentials that do not hold.
_LOGOUT_CODES: Final = frozenset({401, 403, 16})

#: An error of one of these means that there is no subscription any more.
_OURS: Final = frozenset({WireChannel.AUTH.value, WireChannel.ORDERS.value})

_EXPECTED: Final = "a frame of the orders channel (protocol 5.3)"


class PrivateDecoder:
    """Decodes the frames of the `orders` stream.

    Parameters
    ----------
    codec : OrderCodec
        Reads the orders in them.
    """

    def __init__(self, codec: OrderCodec) -> None:
        self._codec = codec
        #: The way in, `decode_any` but for the usual frames. The same, and quicker.
        self.decode: Final = UsualReader(codec, self.decode_any).decode

    def decode_any(self, raw: bytes) -> list[VenueMessage]:
        """Decode one frame.

        Returns
        -------
        list[VenueMessage]
            An `OrderUpdate` for each order, a `VenueData` for a liquidation, and an `AccountChanged` if any traded.

        Raises
        ------
        FrameError
            If nothing in it can be read.
        """
        try:
            frame = _decode(raw)
        except wire.DECODE_ERRORS as exc:
            return self._second_look(raw, exc)
        kind = frame.type
        if kind is _UPDATE:
            source = _STREAM
        elif kind is FrameType.SNAPSHOT:
            source = Source.SNAPSHOT
        elif kind is FrameType.ERROR:
            # We only ever subscribe, so an error means that the subscription is gone.
            return [Gap(f"orders channel: {frame.message} ({frame.code})")]
        elif kind is FrameType.UNSUBSCRIBED:
            return [Gap("orders channel: the venue ended the subscription")]
        else:
            return []
        if frame.data is UNSET:
            raise FrameError(VENUE, raw, f"{_EXPECTED} with data")
        orders, frame_ts, read = frame.data or (), frame.timestamp, self._codec.update
        try:
            messages: list[VenueMessage] = [read(order, source, frame_ts) for order in orders]
        except ValueError as exc:
            return self._salvage(raw, exc)
        if source is _STREAM:
            traded = False
            for order in orders:
                if order.last_trades:
                    traded = True
                if order.is_liquidation:
                    messages.append(_liquidation(order, frame_ts))
            if traded:
                messages.append(_ACCOUNT_CHANGED)
        return messages

    def _second_look(self, raw: bytes, exc: Exception) -> list[VenueMessage]:
        control = control_of(raw)
        if control is None:
            # Of the login this client hears once; whatever else is said of it ends what it allowed.
            if channel_of(raw) == WireChannel.AUTH.value:
                return [Gap(f"authentication: {excerpt(raw)}")]
            raise FrameError(VENUE, raw, f"{_EXPECTED} or a control frame (protocol 5.1; {exc})")
        match control.type:
            case FrameType.SNAPSHOT | FrameType.UPDATE:
                if control.channel == WireChannel.ORDERS.value:
                    return self._salvage(raw, exc)
                raise FrameError(VENUE, raw, f"{_EXPECTED}, not of channel {control.channel[:40]!r}")
            case FrameType.ERROR:
                # The live venue's errors may lack the channel.
                if control.channel in _OURS or (not control.channel and _is_logout(control)):
                    what = "orders channel" if control.channel == WireChannel.ORDERS.value else "authentication"
                    return [Gap(f"{what}: {control.message} ({control.code})")]
                raise FrameError(VENUE, raw, f"{_EXPECTED}, not an error")
            case _:
                return []

    def _salvage(self, raw: bytes, exc: Exception) -> list[VenueMessage]:
        """Read what can be read of a frame with an unreadable order, and have the rest queried."""
        frame = wire.decode(wire.RAW_ORDERS_FRAME, raw, f"{_EXPECTED} ({exc})")
        source = Source.SNAPSHOT if frame.type is FrameType.SNAPSHOT else Source.STREAM
        readable: list[VenueMessage] = []
        lost: list[VenueMessage] = []
        for item in frame.data:
            try:
                readable.append(self._codec.update(decode_order(bytes(item)), source, frame.time_ns))
            except (*wire.DECODE_ERRORS, ValueError) as why:
                # One frame counts once, however many of its orders are lost.
                lost.append(Readback(_id_of(bytes(item)), f"unreadable order: {why}", is_malformed=not lost))
        if not readable:
            raise FrameError(VENUE, raw, f"{_EXPECTED}: {exc}")
        if lost:
            _log.error(
                "%s: %d of %d orders in a frame unreadable, asking for them: %s", VENUE, len(lost), len(frame.data), exc
            )
        return [*readable, *lost, _ACCOUNT_CHANGED]


def _liquidation(order: wire.Order, frame_ts: int) -> VenueData:
    """Tell of the venue's own order against the account: a strategy should know that it is being liquidated."""
    return VenueData(
        kind=LIQUIDATION,
        symbol=order.product_id.upper(),
        data={
            "venue_order_id": order.id,
            "status": order.status.value,
            "side": order.side.value,
            "size": str(order.size),
            "filled_size": str(order.filled_size or 0),
        },
        ts_event=order.updated_at or frame_ts,
    )


def _is_logout(control: wire.Control) -> bool:
    """Whether an error that names no channel says that the login does not hold any more."""
    word = control.message.casefold()
    return control.code in _LOGOUT_CODES or any(part in word for part in ("auth", "expired", "api key", "session"))


def _id_of(item: bytes) -> str | None:
    """Return the id of an order that cannot be read as a whole, if that much can be read."""
    try:
        return wire.check_id("order id", wire.ORDER_KEY.decode(item).id)
    except (*wire.DECODE_ERRORS, ValueError):
        return None
