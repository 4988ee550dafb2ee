"""The one transition table: which event may follow which status, and where it leads.

Theory of operation
-------------------
The framework (1.231) applies an order event through a finite state machine and drops what the machine refuses,
*after* having published it, and a refused fill still moves the position. So nothing may be emitted that the
machine would refuse. This table is that machine, restricted to what an adapter emits. A test applies every
pair to the framework's own `Order` objects and compares.

Three details of the machine that cost others weeks:

- A request (PENDING_UPDATE, PENDING_CANCEL) remembers the status before it. `OrderUpdated`, `OrderModifyRejected`
  and `OrderCancelRejected` lead back there. From PENDING_CANCEL the way back to SUBMITTED or TRIGGERED does not
  exist: `may_follow` says so.
- CANCELED is not the end: a late fill re-opens the order (PARTIALLY_FILLED), so `OrderCanceled` must follow again.
- EXPIRED, REJECTED, FILLED and DENIED are the end: a fill told after them cannot be applied to the order.
"""

from enum import unique
from typing import Final

from nautilus_orderfeeds.orders.words import OrderStatus, Word

_S = OrderStatus


@unique
class Trigger(Word):
    """What an event does to the status."""

    DENY = "DENY"
    SUBMIT = "SUBMIT"
    ACCEPT = "ACCEPT"
    REJECT = "REJECT"
    TRIGGER = "TRIGGER"
    PEND_UPDATE = "PEND_UPDATE"
    PEND_CANCEL = "PEND_CANCEL"
    UPDATE = "UPDATE"
    REFUSE_UPDATE = "REFUSE_UPDATE"
    REFUSE_CANCEL = "REFUSE_CANCEL"
    CANCEL = "CANCEL"
    EXPIRE = "EXPIRE"
    PARTIAL_FILL = "PARTIAL_FILL"
    FILL = "FILL"


_T = Trigger

#: Events that end an order, or fill it, from any live status.
_ENDS: Final = {
    _T.CANCEL: _S.CANCELED,
    _T.PARTIAL_FILL: _S.PARTIALLY_FILLED,
    _T.FILL: _S.FILLED,
}

#: status -> trigger -> next status. UPDATE and the two REFUSE triggers are in `after`: they depend on the past.
TRANSITIONS: Final[dict[OrderStatus, dict[Trigger, OrderStatus]]] = {
    _S.INITIALIZED: {_T.DENY: _S.DENIED, _T.SUBMIT: _S.SUBMITTED},
    _S.SUBMITTED: {
        **_ENDS,
        _T.ACCEPT: _S.ACCEPTED,
        _T.REJECT: _S.REJECTED,
        _T.PEND_UPDATE: _S.PENDING_UPDATE,
        _T.PEND_CANCEL: _S.PENDING_CANCEL,
    },
    _S.ACCEPTED: {
        **_ENDS,
        _T.REJECT: _S.REJECTED,
        _T.EXPIRE: _S.EXPIRED,
        _T.TRIGGER: _S.TRIGGERED,
        _T.PEND_UPDATE: _S.PENDING_UPDATE,
        _T.PEND_CANCEL: _S.PENDING_CANCEL,
    },
    _S.TRIGGERED: {
        **_ENDS,
        _T.REJECT: _S.REJECTED,
        _T.EXPIRE: _S.EXPIRED,
        _T.PEND_UPDATE: _S.PENDING_UPDATE,
        _T.PEND_CANCEL: _S.PENDING_CANCEL,
    },
    _S.PENDING_UPDATE: {
        **_ENDS,
        _T.ACCEPT: _S.ACCEPTED,
        _T.REJECT: _S.REJECTED,
        _T.EXPIRE: _S.EXPIRED,
        _T.TRIGGER: _S.TRIGGERED,
        _T.PEND_UPDATE: _S.PENDING_UPDATE,
        _T.PEND_CANCEL: _S.PENDING_CANCEL,
    },
    _S.PENDING_CANCEL: {
        **_ENDS,
        _T.ACCEPT: _S.ACCEPTED,
        _T.REJECT: _S.REJECTED,
        _T.EXPIRE: _S.EXPIRED,
        _T.PEND_CANCEL: _S.PENDING_CANCEL,
    },
    _S.PARTIALLY_FILLED: {
        **_ENDS,
        _T.EXPIRE: _S.EXPIRED,
        _T.PEND_UPDATE: _S.PENDING_UPDATE,
        _T.PEND_CANCEL: _S.PENDING_CANCEL,
    },
    _S.CANCELED: {_T.PARTIAL_FILL: _S.PARTIALLY_FILLED, _T.FILL: _S.FILLED},
    _S.DENIED: {},
    _S.REJECTED: {},
    _S.EXPIRED: {},
    _S.FILLED: {},
}

PENDING_STATUSES: Final = frozenset({_S.PENDING_UPDATE, _S.PENDING_CANCEL})

#: Where a refused or fulfilled request may lead back to.
_WAY_BACK: Final[dict[OrderStatus, frozenset[OrderStatus]]] = {
    _S.PENDING_UPDATE: frozenset({_S.ACCEPTED, _S.TRIGGERED, _S.PARTIALLY_FILLED}),
    _S.PENDING_CANCEL: frozenset({_S.ACCEPTED, _S.PARTIALLY_FILLED}),
}

#: The request whose end a trigger is.
_ENDED_REQUEST: Final = {
    _T.UPDATE: _S.PENDING_UPDATE,
    _T.REFUSE_UPDATE: _S.PENDING_UPDATE,
    _T.REFUSE_CANCEL: _S.PENDING_CANCEL,
}

_NEVER_SENT: Final = frozenset({_S.INITIALIZED, _S.DENIED})


def after(status: OrderStatus, before_request: OrderStatus, trigger: Trigger) -> OrderStatus | None:
    """Return the status after `trigger`, or None if the framework would refuse it.

    Parameters
    ----------
    status : OrderStatus
        The status now.
    before_request : OrderStatus
        The last status that was not a pending one, before the present.
    trigger : Trigger
        What happens.

    Returns
    -------
    OrderStatus or None
    """
    request = _ENDED_REQUEST.get(trigger)
    if request is None:
        return TRANSITIONS[status].get(trigger)
    if status in _NEVER_SENT:
        return None
    if status is not request:
        return status
    return before_request if before_request in _WAY_BACK[request] else None


def arrows() -> dict[tuple[OrderStatus, OrderStatus], list[str]]:
    """Return every step that the table allows, from and to, with what may cause it (``"partial fill"``)."""
    found: dict[tuple[OrderStatus, OrderStatus], list[str]] = {}
    for status, row in TRANSITIONS.items():
        for trigger, target in row.items():
            found.setdefault((status, target), []).append(_label(trigger))
    for request, back in sorted(_WAY_BACK.items(), key=lambda item: item[0].name):
        ends = [_label(trigger) for trigger, ended in _ENDED_REQUEST.items() if ended is request]
        for target in sorted(back, key=lambda s: s.name):
            found.setdefault((request, target), []).extend(ends)
    return found


def _label(trigger: Trigger) -> str:
    return trigger.name.lower().replace("_", " ")


def to_mermaid() -> str:
    """Draw the table as a Mermaid state diagram (the docs and the notebooks use it)."""
    lines = ["stateDiagram-v2", "    [*] --> INITIALIZED"]
    lines += [f"    {a.name} --> {b.name}: {' / '.join(labels)}" for (a, b), labels in arrows().items()]
    lines += [f"    {s.name} --> [*]" for s in (_S.DENIED, _S.REJECTED, _S.CANCELED, _S.EXPIRED, _S.FILLED)]
    return "\n".join(lines) + "\n"
