"""Decoding the frames of the private feeds (protocol, 8.1 to 8.5)."""

import logging
from collections.abc import Callable
from typing import Final

from msgspec import UNSET, Raw

from nautilus_orderfeeds.feed.errors import FrameError
from nautilus_orderfeeds.orders.updates import Source
from nautilus_orderfeeds.venues.base import AccountChanged, Gap, Readback, VenueData, VenueMessage
from nautilus_orderfeeds.venues.sfox import wire
from nautilus_orderfeeds.venues.sfox.account import account_update
from nautilus_orderfeeds.venues.sfox.codec import OrderCodec, check_trade
from nautilus_orderfeeds.venues.sfox.words import FEEDS, ONBOARDING, VENUE, Feed

_log = logging.getLogger(__name__)

#: Kind of the `VenueData` that tells of an end user whom no client of this process trades for.
END_USER: Final = "END_USER_UPDATE"

#: Kind of the `VenueData` that tells of an end user who comes to be (without the token that came with it).
NEW_END_USER: Final = "END_USER_ONBOARDING"

_EXPECTED: Final = "a frame of a private feed (protocol 8.2 to 8.5)"
_WEB3: Final = "web3"
_NO_ERROR: Final = frozenset({b"null", b"false", b'""'})


class PrivateDecoder:
    """Decodes the frames of one account's feeds.

    Parameters
    ----------
    codec : OrderCodec
        Reads the orders and fills in them.
    user_id : str, optional
        The end user whose account it is; None for the key's own account.
    on_error : Callable[[str], object]
        Told of an error of the venue, before it is decoded as a `Gap`.
    """

    def __init__(self, codec: OrderCodec, user_id: str | None, on_error: Callable[[str], object]) -> None:
        self._codec = codec
        self._user_id = user_id
        self._on_error = on_error
        #: Updates of end users that are not this account's.
        self.foreign = 0

    def decode(self, raw: bytes) -> list[VenueMessage]:
        """Decode one frame.

        Returns
        -------
        list[VenueMessage]
            An `OrderUpdate` for each order and for the fills of each, an `AccountUpdate` for balances, a `VenueData`
            for an end user who is somebody else, and a `Gap` for an error: the subscription may be gone.

        Raises
        ------
        FrameError
            If nothing in it can be read.
        """
        head = wire.decode(wire.HEAD, raw, _EXPECTED)
        if head.recipient is None:
            return self._control(head, raw)
        if head.recipient == ONBOARDING:
            told = wire.decode(wire.ANYTHING, wire.payload_of(head, raw), _EXPECTED)
            data = told if isinstance(told, dict) else {"updates": told}
            return [VenueData(kind=NEW_END_USER, data=data, ts_event=wire.frame_ns(head))]
        feed = FEEDS.get(head.recipient)
        if feed is None:
            raise FrameError(VENUE, raw, f"{_EXPECTED}, not of {head.recipient[:60]!r}")
        payload = wire.payload_of(head, raw)
        if self._user_id is None:
            return self._rows(feed, wire.rows_of(payload), head, raw)
        messages: list[VenueMessage] = []
        for user_id, rows in by_user(payload):
            if user_id == self._user_id:
                messages += self._rows(feed, rows, head, raw)
            else:
                messages.append(self._foreign(user_id, rows, head))
        return messages

    def _control(self, head: wire.Head, raw: bytes) -> list[VenueMessage]:
        if not is_error(head):
            if head.type is None:
                raise FrameError(VENUE, raw, f"{_EXPECTED} or a control frame (protocol 8.1)")
            return []
        said = error_text(head)
        self._on_error(said)
        return [Gap(f"error of the venue: {said}")]

    def _rows(self, feed: Feed, rows: list[Raw], head: wire.Head, raw: bytes) -> list[VenueMessage]:
        match feed:
            case Feed.ORDERS:
                return self._orders(rows, wire.frame_ns(head), raw)
            case Feed.TRADES:
                return self._trades(rows, raw)
            case Feed.BALANCES:
                return self._balances(rows, wire.frame_ns(head), raw)

    def _orders(self, rows: list[Raw], frame_ts: int, raw: bytes) -> list[VenueMessage]:
        messages: list[VenueMessage] = []
        lost: list[VenueMessage] = []
        for row in rows:
            try:
                update = self._codec.update(wire.ORDER.decode(row), Source.STREAM, frame_ts)
            except (*wire.DECODE_ERRORS, ValueError) as exc:
                lost.append(Readback(_id_of(row), reason=f"unreadable order: {exc}"))
                continue
            messages.append(update)
            if update.status is None:
                messages.append(Readback(update.venue_order_id, reason="status unknown"))
        return self._salvaged(messages, lost, raw)

    def _trades(self, rows: list[Raw], raw: bytes) -> list[VenueMessage]:
        trades: list[wire.Trade] = []
        lost: list[VenueMessage] = []
        for row in rows:
            try:
                trade = wire.TRADE.decode(row)
                check_trade(trade)
                trades.append(trade)
            except (*wire.DECODE_ERRORS, ValueError) as exc:
                lost.append(Readback(_id_of(row), reason=f"unreadable fill: {exc}"))
        self._codec.note(trades)
        messages: list[VenueMessage] = [*self._codec.fills(trades)]
        return self._salvaged(messages, lost, raw)

    def _balances(self, rows: list[Raw], ts_event: int, raw: bytes) -> list[VenueMessage]:
        try:
            kinds = [wire.BALANCE_KIND.decode(row) for row in rows]
            balances = [
                wire.BALANCE.decode(row)
                for row, kind in zip(rows, kinds, strict=True)
                if kind.type != _WEB3 and kind.currency is not None
            ]
            if not balances:
                return []  # a wallet's (protocol 8.5), or nothing
            # Of an end user all currencies are told; whether of an own account, no page says.
            return [account_update(balances, complete=self._user_id is not None, ts_event=ts_event)]
        except (*wire.DECODE_ERRORS, ValueError) as exc:
            _log.error("%s", FrameError(VENUE, raw, f"balances (protocol 8.5; {exc})"))
            return [AccountChanged()]

    def _foreign(self, user_id: str | None, rows: list[Raw], head: wire.Head) -> VenueData:
        self.foreign += 1
        updates = [wire.ANYTHING.decode(row) for row in rows]
        data = {"user_id": user_id or "", "feed": head.recipient, "updates": updates}
        return VenueData(kind=END_USER, data=data, ts_event=wire.frame_ns(head))

    def _salvaged(self, readable: list[VenueMessage], lost: list[VenueMessage], raw: bytes) -> list[VenueMessage]:
        """Return what could be read of a frame, and have the rest asked for."""
        if not lost:
            return readable
        reasons = "; ".join(message.reason for message in lost if isinstance(message, Readback))
        error = FrameError(VENUE, raw, f"{_EXPECTED} ({reasons[:200]})")
        if not readable:
            raise error
        _log.error("%s; so far as these %d row(s) go, which are asked for", error, len(lost))
        return [*readable, *lost]


def by_user(payload: bytes) -> list[tuple[str | None, list[Raw]]]:
    """Return the rows of an end users' payload by user: it is one user's, or its rows say whose they are.

    A row that cannot be read is nobody's (None): it must not take those of others with it.

    Raises
    ------
    FrameError
        If it is neither, or none of its rows says whose it is and one cannot be read.
    """
    if payload.lstrip()[:1] == b"{":
        try:
            rows = wire.ROWS.decode(payload)
        except wire.DECODE_ERRORS:
            rows = None
        if rows is not None:
            return [(rows.user_id, wire.rows_of(bytes(rows.updates)))]
    found: dict[str | None, list[Raw]] = {}
    unreadable: FrameError | None = None
    for row in wire.rows_of(payload):
        user_id = None
        try:
            user_id = wire.decode(wire.USER_KEY, bytes(row), "a row of an end user (protocol 8.3 to 8.5)").user_id
        except FrameError as exc:
            unreadable = exc
        found.setdefault(user_id, []).append(row)
    if unreadable is not None and found.keys() == {None}:
        raise unreadable
    return list(found.items())


def is_error(head: wire.Head) -> bool:
    """Whether a control frame tells of an error, in any of the shapes it may have (protocol, 11)."""
    return head.type == "error" or (head.error is not UNSET and bytes(head.error) not in _NO_ERROR)


def error_text(head: wire.Head) -> str:
    """Return what an error frame says: all of it, since nothing is known of its shape."""
    told = [head.message] if head.message else []
    told += [bytes(part).decode(errors="replace") for part in (head.error, head.payload) if part is not UNSET]
    return f"{head.action or 'error'}: {' '.join(told)[:200]}"


def _id_of(row: Raw) -> str | None:
    """Return the order's id of a row that cannot be read as a whole, if that much can be read."""
    try:
        key = wire.ID_KEY.decode(row)
    except wire.DECODE_ERRORS:
        return None
    order_id = key.order_id or key.id
    return None if order_id is None else str(order_id)
