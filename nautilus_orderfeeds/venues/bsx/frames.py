"""Decoding the frames of the private stream (protocol, 5.1 and 5.3).

The common case, an update of orders, is decoded once, straight into its structs. Everything else (controls,
errors, frames that do not fit) takes the second look.
"""

import logging
from typing import Final

from msgspec import UNSET

from nautilus_orderfeeds.feed.errors import FrameError
from nautilus_orderfeeds.orders.updates import Source
from nautilus_orderfeeds.venues.base import AccountChanged, Gap, Readback, VenueData, VenueMessage
from nautilus_orderfeeds.venues.bsx import wire
from nautilus_orderfeeds.venues.bsx.codec import OrderCodec
from nautilus_orderfeeds.venues.bsx.tolerant import decode_order
from nautilus_orderfeeds.venues.bsx.words import VENUE, FrameType, WireChannel

_log = logging.getLogger(__name__)

#: Kind of the `VenueData` that tells of a liquidation.
LIQUIDATION: Final = "LIQUIDATION"

_decode: Final = wire.ORDERS_FRAME.decode

_ACCOUNT_CHANGED: Final = AccountChanged()

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

    def decode(self, raw: bytes) -> list[VenueMessage]:
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
        match frame.type:
            case FrameType.UPDATE:
                source = Source.STREAM
            case FrameType.SNAPSHOT:
                source = Source.SNAPSHOT
            case FrameType.ERROR:
                # We only ever subscribe, so an error means that the subscription is gone.
                return [Gap(f"orders channel: {frame.message} ({frame.code})")]
            case _:
                return []
        if frame.data is UNSET:
            raise FrameError(VENUE, raw, f"{_EXPECTED} with data")
        orders, frame_ts, read = frame.data or (), frame.timestamp, self._codec.update
        try:
            messages: list[VenueMessage] = [read(order, source, frame_ts) for order in orders]
        except ValueError as exc:
            return self._salvage(raw, exc)
        if source is Source.STREAM:
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
        control = wire.decode(wire.CONTROL, raw, f"{_EXPECTED} or a control frame (protocol 5.1; {exc})")
        match control.type:
            case FrameType.SNAPSHOT | FrameType.UPDATE:
                if control.channel == WireChannel.ORDERS.value:
                    return self._salvage(raw, exc)
                raise FrameError(VENUE, raw, f"{_EXPECTED}, not of channel {control.channel[:40]!r}")
            case FrameType.ERROR:
                if control.channel == WireChannel.AUTH.value:
                    return [Gap(f"authentication: {control.message} ({control.code})")]
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
                lost.append(Readback(_id_of(bytes(item)), reason=f"unreadable order: {why}"))
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


def _id_of(item: bytes) -> str | None:
    """Return the id of an order that cannot be read as a whole, if that much can be read."""
    try:
        return wire.check_id("order id", wire.ORDER_KEY.decode(item).id)
    except (*wire.DECODE_ERRORS, ValueError):
        return None
