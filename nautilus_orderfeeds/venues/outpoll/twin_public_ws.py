"""
The public streams of the simulated Outpoll: Order Book, Chance History, Activity Feed, Last Trades (protocol 6.4-6.6).

Prices are those of an outcome's primary asset. Faults know frames as `book`, `book/PRICES_DATA`,
`book/PRICES_DATA_DELTA`, `chance`, `activity`, `last-trades`, `control/subscribed` and `control/error`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nautilus_orderfeeds.sim.connection import Connection, decode_json
from nautilus_orderfeeds.sim.server import WsEndpoint
from nautilus_orderfeeds.venues.outpoll.twin_heartbeat import Heartbeat
from nautilus_orderfeeds.venues.outpoll.twin_products import EVENTS, OUTCOMES
from nautilus_orderfeeds.venues.outpoll.twin_quotes import Quotes
from nautilus_orderfeeds.venues.outpoll.twin_words import PublicStream

_UNKNOWN = "Unknown message type"
_NO_IDS = "No outcome IDs provided"


class PublicEndpoint(WsEndpoint):
    """
    The endpoint of one public stream.

    Parameters
    ----------
    stream : PublicStream
    quotes : Quotes
    heartbeat : Heartbeat
    answers_pings : Callable[[], bool]
        Whether protocol pings are answered.
    """

    def __init__(
        self,
        stream: PublicStream,
        quotes: Quotes,
        heartbeat: Heartbeat,
        answers_pings: Callable[[], bool],
    ) -> None:
        self._stream = stream
        self._quotes = quotes
        self._heartbeat = heartbeat
        self._answers_pings = answers_pings

    async def opened(self, connection: Connection) -> None:
        """Nothing is said."""
        connection.answers_pings = self._answers_pings()

    async def received(self, connection: Connection, message: str | bytes) -> None:
        """Dispatch one client message."""
        document = decode_json(message)
        body: dict[str, Any] = document if isinstance(document, dict) else {}
        kind = body.get("t")
        if kind == "PONG" and self._heartbeat.ponged(connection):
            return
        match self._stream:
            case PublicStream.BOOK:
                self._book(connection, kind, body)
            case PublicStream.CHANCE:
                self._chance(connection, kind, body)
            case PublicStream.ACTIVITY:
                self._activity(connection, kind, body)
            case PublicStream.LAST_TRADES:
                self._error(connection, body, _UNKNOWN)

    # -- Order Book -----------------------------------------------------------------------------------------

    def _book(self, connection: Connection, kind: object, body: dict[str, Any]) -> None:
        event = body.get("e")
        if kind not in ("SUBSCRIBE", "UNSUBSCRIBE", "REQUEST_DATA"):
            self._error(connection, body, _UNKNOWN)
        elif not isinstance(event, str) or event not in EVENTS:
            self._error(connection, body, "Unknown event")
        elif kind == "SUBSCRIBE":
            connection.subscriptions.add((event,))
            connection.send_json({"t": "SUBSCRIBED", "e": event}, "control/subscribed")
            if self._quotes.follows_subscribed:
                self._quotes.send_snapshot(connection, event)
        elif kind == "UNSUBSCRIBE":
            connection.subscriptions.discard((event,))
            connection.send_json({"t": "UNSUBSCRIBED", "e": event}, "control/unsubscribed")
        else:
            self._quotes.send_snapshot(connection, event)

    # -- Chance History -------------------------------------------------------------------------------------

    def _chance(self, connection: Connection, kind: object, body: dict[str, Any]) -> None:
        outcomes = body.get("o")
        if kind not in ("SUBSCRIBE", "UNSUBSCRIBE"):
            self._error(connection, body, _UNKNOWN)
        elif not isinstance(outcomes, list) or not outcomes:
            self._error(connection, body, _NO_IDS)
        elif not all(isinstance(outcome, str) and outcome in OUTCOMES for outcome in outcomes):
            self._error(connection, body, "Unknown outcome")
        elif kind == "SUBSCRIBE":
            for outcome in outcomes:
                connection.subscriptions.add((outcome,))
                self._quotes.send_probability(connection, outcome)
            reply = {"t": "success", "o": outcomes, "d": {"message": "subscribe successful"}}
            connection.send_json(reply, "control/subscribed")
        else:
            for outcome in outcomes:
                connection.subscriptions.discard((outcome,))
            reply = {"t": "success", "o": outcomes, "d": {"message": "unsubscribe successful"}}
            connection.send_json(reply, "control/unsubscribed")

    # -- Activity Feed --------------------------------------------------------------------------------------

    def _activity(self, connection: Connection, kind: object, body: dict[str, Any]) -> None:
        event, outcome = body.get("e"), body.get("o")
        if kind not in ("SUBSCRIBE", "UNSUBSCRIBE"):
            self._error(connection, body, _UNKNOWN)
        elif not isinstance(outcome, str) or outcome not in OUTCOMES or OUTCOMES[outcome].event.event_id != event:
            self._error(connection, body, _NO_IDS if not outcome else "Unknown outcome")
        elif kind == "SUBSCRIBE":
            connection.subscriptions.add((outcome,))
        else:
            connection.subscriptions.discard((outcome,))

    def _error(self, connection: Connection, body: dict[str, Any], text: str) -> None:
        """Order Book has its own style of errors; Activity Feed's names event and outcomes, these as an array."""
        match self._stream:
            case PublicStream.BOOK:
                frame: dict[str, object] = {"t": "ERROR", "e": body.get("e"), "d": None, "r": text}
            case PublicStream.ACTIVITY:
                outcome = body.get("o")
                named = outcome if isinstance(outcome, list) else [outcome] if outcome else []
                frame = {"t": "error", "e": body.get("e"), "o": named, "d": {"error": text}}
            case _:
                frame = {"t": "error", "d": {"error": text}}
        connection.send_json(frame, "control/error")
