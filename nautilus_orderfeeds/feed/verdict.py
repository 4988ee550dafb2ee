"""What a failed connection means: fatal or worth another attempt.

Wrong credentials are refused again at every attempt, and hammering a venue with them gets an account or an
address blocked; everything else a network does passes sooner or later.
"""

import time
import traceback

from websockets.exceptions import (
    ConnectionClosed,
    InvalidHandshake,
    InvalidStatus,
    InvalidURI,
    WebSocketException,
)

from nautilus_orderfeeds.feed.errors import FatalFeedError, FeedError, TransientFeedError, excerpt
from nautilus_orderfeeds.feed.retry_after import parse_retry_after

POLICY_VIOLATION = 1008
"""WebSocket close code (RFC 6455, section 7.4.1) with which servers end unauthorised connections."""

UNAUTHORIZED_STATUSES = frozenset({401, 403})


def describe(exc: BaseException) -> str:
    """Return the failure in words that hold no secret (an URL may carry a token)."""
    match exc:
        case FeedError():
            return str(exc)
        case InvalidURI():
            return "the stream's URL is no valid ws:// or wss:// URL; check base_url_ws"
        case InvalidStatus():
            body = excerpt(bytes(exc.response.body or b""))
            return f"upgrade refused with HTTP status {exc.response.status_code}" + (f": {body}" if body else "")
        case ConnectionClosed():
            if exc.rcvd is None:
                return "connection lost without a close frame"
            reason = f" ({excerpt(exc.rcvd.reason)})" if exc.rcvd.reason else ""
            return f"closed by the venue with code {exc.rcvd.code}{reason}"
        case TimeoutError():
            return f"timed out: {excerpt(str(exc))}" if str(exc) else "timed out"
        case OSError() | InvalidHandshake():
            return f"{type(exc).__name__}: {excerpt(str(exc))}"
        case _:
            # The text of an exception nobody foresaw may quote the URL or headers it choked on.
            return f"unexpected {type(exc).__name__}"


def classify(exc: Exception) -> FatalFeedError | TransientFeedError:
    """Say whether another attempt can help.

    Fatal are HTTP 401 and 403 on the upgrade, close code 1008 and an invalid URL. HTTP 429 and 503 carry
    their `Retry-After`. Everything else is transient.

    Parameters
    ----------
    exc : Exception
        What websockets, the handshake or the resync raised.

    Returns
    -------
    FatalFeedError or TransientFeedError
        `exc` itself if it is one of them, otherwise a new one that describes it.
    """
    match exc:
        case FatalFeedError() | TransientFeedError():
            return exc
        case InvalidURI():
            return FatalFeedError(describe(exc))
        case InvalidStatus() if exc.response.status_code in UNAUTHORIZED_STATUSES:
            return FatalFeedError(f"{describe(exc)}; check the credentials and their permissions")
        case InvalidStatus():
            retry_after = exc.response.headers.get("Retry-After")
            secs = parse_retry_after(retry_after, time.time_ns())
            return TransientFeedError(describe(exc), retry_after_secs=secs)
        case ConnectionClosed() if exc.rcvd is not None and exc.rcvd.code == POLICY_VIOLATION:
            return FatalFeedError(f"{describe(exc)}; check the credentials and their permissions")
        case _:
            return TransientFeedError(describe(exc))


def is_foreseen(exc: BaseException) -> bool:
    """Whether a failure is of a kind that networks and venues produce, and no bug of ours or a venue's stream."""
    return isinstance(exc, (FeedError, WebSocketException, OSError, EOFError))


def where(exc: BaseException) -> str:
    """Return type and place of an exception without its text, for code that handles secrets."""
    calls = traceback.extract_tb(exc.__traceback__)[-5:]
    path = " > ".join(f"{call.filename.rsplit('/', 1)[-1]}:{call.lineno} {call.name}" for call in calls)
    return f"{type(exc).__name__} at {path}"
