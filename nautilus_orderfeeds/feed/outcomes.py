"""From an HTTP answer to the `Outcome` of a command (design, "Outcomes").

Only definite evidence from the venue makes a `Refused`: a 4xx whose body is the venue's own error. A 429 or
5xx may come from a proxy after the venue has acted, so they are `Unknown`, as is anything unreadable.
"""

import logging
from collections.abc import Callable

from nautilus_orderfeeds.feed.errors import NotSent, OutcomeUnknown
from nautilus_orderfeeds.feed.rest import Response
from nautilus_orderfeeds.orders.requests import Outcome, Refused, Unknown

_log = logging.getLogger(__name__)

# Statuses of the 4xx class that do not say that the request was judged: timeout, too early, too many, and
# what load balancers answer when a client or a backend went away.
_INDEFINITE = frozenset({408, 425, 429, 499})


def outcome_of(
    response: Response,
    *,
    ok: Callable[[Response], Outcome],
    refused: Callable[[Response], Outcome | None],
) -> Outcome:
    """Judge the answer to a command.

    Parameters
    ----------
    response : Response
        The venue's answer.
    ok : Callable[[Response], Outcome]
        Reads a 2xx answer; some venues refuse with 2xx, so it may return any outcome. Raises if unreadable.
    refused : Callable[[Response], Outcome or None]
        Reads a definite 4xx answer; None or an exception means that it is not the venue's own error.

    Returns
    -------
    Outcome
        `Unknown` whenever the answer is no definite evidence.
    """
    if response.ok:
        reader: Callable[[Response], Outcome | None] = ok
    elif 400 <= response.status < 500 and response.status not in _INDEFINITE:
        reader = refused
    else:
        return Unknown(response.excerpt())
    try:
        outcome = reader(response)
    except Exception as exc:
        _log.warning("unreadable answer to a command (%s): %s", type(exc).__name__, response.excerpt())
        outcome = None
    return outcome if outcome is not None else Unknown(f"unreadable answer, {response.excerpt()}")


def outcome_of_failure(failure: NotSent | OutcomeUnknown) -> Outcome:
    """Judge a command that got no answer: what provably never left is `Refused`, all else `Unknown`."""
    match failure:
        case NotSent():
            return Refused(f"not sent: {failure}")
        case OutcomeUnknown():
            return Unknown(str(failure))
