"""How the simulated Roxom says no over REST: the three inconsistent shapes of protocol 4.10."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

from nautilus_orderfeeds.sim.clock import SimClock
from nautilus_orderfeeds.sim.server import Answer
from nautilus_orderfeeds.venues.roxom.twin_options import ErrorShape, RoxomTwinOptions

_WORDS = {400: "VALIDATION_ERROR", 401: "UNAUTHORIZED", 404: "NOT_FOUND", 429: "RATE_LIMITED"}


class Refused(Exception):
    """
    The venue says no.

    Parameters
    ----------
    message, details : str
    status : int
        Of HTTP.
    shape : ErrorShape, optional
        The shape in which the page of that endpoint shows its errors; by default that of the status.
    """

    def __init__(self, message: str, details: str = "", *, status: int = 400, shape: ErrorShape | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.details = details
        self.status = status
        self.shape = _usual_shape(status) if shape is None else shape


class Errors:
    """Writes error bodies as the options ask for."""

    def __init__(self, options: RoxomTwinOptions, clock: SimClock) -> None:
        self._options = options
        self._clock = clock

    def of_status(self, status: int, message: str) -> Answer:
        """The answer for what the server itself refuses: unknown paths, faults."""
        return self.answer(Refused(message, status=status))

    def answer(self, refused: Refused) -> Answer:
        """Status and body of a refusal."""
        shape = self._options.error_shape
        return Answer(refused.status, self._body(refused, refused.shape if shape is ErrorShape.DOCUMENTED else shape))

    def _body(self, refused: Refused, shape: ErrorShape) -> object:
        match shape:
            case ErrorShape.FLAT:
                return {"error": refused.status, "message": refused.message}
            case ErrorShape.CODED:
                code = _WORDS.get(refused.status, "INTERNAL_ERROR" if refused.status >= 500 else "REFUSED")
                return {"code": code, "message": refused.message, "details": refused.details}
            case ErrorShape.NESTED | ErrorShape.DOCUMENTED:
                now = datetime.fromtimestamp(self._clock.now_ns() // 1_000_000_000, UTC)
                return {
                    "error": {"code": refused.status, "message": refused.message, "details": refused.details},
                    "timestamp": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
                    "requestId": f"req_{uuid.uuid4().hex[:6]}",
                }
            case ErrorShape.EMPTY:
                return None


def _usual_shape(status: int) -> ErrorShape:
    """401 is documented flat, 404 with a code, the errors of order entry nested."""
    match status:
        case 401:
            return ErrorShape.FLAT
        case 404:
            return ErrorShape.CODED
        case _:
            return ErrorShape.NESTED
