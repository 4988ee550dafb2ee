"""Orders of which it is not known what became of a request, and why: shown as that, and as nothing else.

A request whose answer is lost, an order that a venue took and does not list yet, a cancel whose effect nobody has
seen: none of these is live, refused or over, as far as is known (design, "Outcomes").
"""

from enum import unique

from nautilus_orderfeeds.orders.words import OrderStatus, Word


@unique
class Limbo(Word):
    """What is waited for. The value completes "outcome unknown: ..." for people."""

    NO_ANSWER = "sent, no answer"
    """Sent; the venue has not named it. It may be live, refused, or never have arrived."""
    NOT_SEEN = "taken, not seen yet"
    """The venue has named it, and neither its stream nor its lists show yet what became of it."""
    CANCEL_OPEN = "cancel asked for, end not seen yet"
    """It may be live, canceled or filled."""
    CHANGE_OPEN = "change asked for, not seen yet"
    """It is live, on its old terms or on the new ones."""


def limbo_of(status: OrderStatus, *, is_named: bool) -> Limbo | None:
    """Return what is not known of an order; None if it is known how it stands.

    Parameters
    ----------
    status : OrderStatus
        As told so far.
    is_named : bool
        Whether the venue's id of it is known.
    """
    match status:
        case OrderStatus.SUBMITTED:
            return Limbo.NOT_SEEN if is_named else Limbo.NO_ANSWER
        case OrderStatus.PENDING_CANCEL:
            return Limbo.CANCEL_OPEN
        case OrderStatus.PENDING_UPDATE:
            return Limbo.CHANGE_OPEN
        case _:
            return None


def status_text(status: OrderStatus, *, is_named: bool) -> str:
    """Return a status in words: ``"SUBMITTED (outcome unknown): sent, no answer"``; parameters as `limbo_of`."""
    limbo = limbo_of(status, is_named=is_named)
    return status.name if limbo is None else f"{status.name} (outcome unknown): {limbo.value}"
