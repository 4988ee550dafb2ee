"""The transition table against the framework's own orders: every status, every trigger, every past."""

from collections import deque
from decimal import Decimal

import pytest

from nautilus_orderfeeds.orders import events as ev
from nautilus_orderfeeds.orders.transitions import TRANSITIONS, Trigger, after, to_mermaid
from nautilus_orderfeeds.orders.words import OrderSide, OrderStatus, OrderType
from tests.support.framework_order import FrameworkOrder

_S, _T = OrderStatus, Trigger
Node = tuple[OrderStatus, OrderStatus]

#: What the framework takes and the table does not, on purpose.
_REQUEST_ENDS = {_T.UPDATE, _T.REFUSE_UPDATE, _T.REFUSE_CANCEL}
_LEFT_OUT: dict[OrderStatus, set[Trigger]] = {
    # Orders that reconciliation makes: not an adapter's business. The rest is taken in any status, unchecked.
    _S.INITIALIZED: {_T.ACCEPT, _T.REJECT, _T.CANCEL, _T.EXPIRE, _T.TRIGGER} | _REQUEST_ENDS,
    _S.DENIED: _REQUEST_ENDS,
    # A submit after a request changes nothing.
    _S.PENDING_UPDATE: {_T.SUBMIT},
}


def _event(trigger: Trigger, order: FrameworkOrder) -> ev.OrderEvent:
    filled = order.filled_qty
    match trigger:
        case Trigger.DENY:
            return ev.OrderDenied(reason="-")
        case Trigger.SUBMIT:
            return ev.OrderSubmitted()
        case Trigger.ACCEPT:
            return ev.OrderAccepted(venue_order_id="V1")
        case Trigger.REJECT:
            return ev.OrderRejected(reason="-")
        case Trigger.TRIGGER:
            return ev.OrderTriggered()
        case Trigger.PEND_UPDATE:
            return ev.OrderPendingUpdate()
        case Trigger.PEND_CANCEL:
            return ev.OrderPendingCancel()
        case Trigger.UPDATE:
            return ev.OrderUpdated(venue_order_id="V1", quantity=order.quantity, price=Decimal(100))
        case Trigger.REFUSE_UPDATE:
            return ev.OrderModifyRejected(reason="-")
        case Trigger.REFUSE_CANCEL:
            return ev.OrderCancelRejected(reason="-")
        case Trigger.CANCEL:
            return ev.OrderCanceled()
        case Trigger.EXPIRE:
            return ev.OrderExpired()
        case Trigger.PARTIAL_FILL | Trigger.FILL:
            last_qty = Decimal(1) if trigger is Trigger.PARTIAL_FILL else order.quantity - filled
            return ev.OrderFilled(
                trade_id=f"t{filled}",
                venue_order_id="V1",
                last_qty=last_qty,
                last_px=Decimal(100),
                commission=Decimal(0),
                cum_qty=filled + last_qty,
            )


def _order_after(path: tuple[Trigger, ...]) -> FrameworkOrder:
    order = FrameworkOrder(OrderType.STOP_LIMIT, OrderSide.BUY, Decimal(1_000), Decimal(100))
    for trigger in path:
        order.apply(_event(trigger, order))
    return order


def _remembered(status: OrderStatus, before_request: OrderStatus) -> OrderStatus:
    """Return the last status that was no request, once `status` has been left."""
    return before_request if status in (_S.PENDING_UPDATE, _S.PENDING_CANCEL) else status


def _paths() -> dict[Node, tuple[Trigger, ...]]:
    """Return every (status, status before the request) an order can have, with the shortest way there."""
    start = (_S.INITIALIZED, _S.INITIALIZED)
    paths: dict[Node, tuple[Trigger, ...]] = {start: ()}
    queue = deque([start])
    while queue:
        node = queue.popleft()
        for trigger in Trigger:
            target = after(*node, trigger)
            if target is not None and (new := (target, _remembered(*node))) not in paths:
                paths[new] = (*paths[node], trigger)
                queue.append(new)
    return paths


PATHS = _paths()


def test_every_status_is_reached() -> None:
    assert {status for status, _ in PATHS} == set(OrderStatus)


@pytest.mark.parametrize("trigger", list(Trigger), ids=lambda t: t.name)
@pytest.mark.parametrize("node", list(PATHS), ids=lambda n: f"{n[0].name}-after-{n[1].name}")
def test_the_framework_agrees(node: Node, trigger: Trigger) -> None:
    status, before_request = node
    order = _order_after(PATHS[node])
    assert order.status is status
    ours = after(status, before_request, trigger)
    try:
        order.apply(_event(trigger, order))
    except Exception:  # whatever the framework raises, it is a refusal
        theirs = None
    else:
        theirs = order.status
    if ours is None and theirs is not None:
        stuck = before_request is _S.SUBMITTED and status is _S.PENDING_UPDATE and theirs is status
        assert stuck or trigger in _LEFT_OUT[status], f"the framework goes on to {theirs.name}"
    else:
        assert ours is theirs


def test_what_is_left_out_is_really_taken_by_the_framework() -> None:
    for status, triggers in _LEFT_OUT.items():
        path = next(path for node, path in PATHS.items() if node[0] is status)
        for trigger in triggers:
            order = _order_after(path)
            order.apply(_event(trigger, order))


@pytest.mark.parametrize(("request_", "back"), [(_T.PEND_UPDATE, _T.REFUSE_UPDATE), (_T.PEND_CANCEL, _T.REFUSE_CANCEL)])
@pytest.mark.parametrize("status", [_S.ACCEPTED, _S.PARTIALLY_FILLED, _S.TRIGGERED])
def test_way_back_from_a_request(request_: Trigger, back: Trigger, status: OrderStatus) -> None:
    pending = after(status, _S.SUBMITTED, request_)
    assert pending is not None
    expected = None if status is _S.TRIGGERED and back is _T.REFUSE_CANCEL else status
    assert after(pending, status, back) is expected


def test_a_request_on_a_request_still_leads_back_to_the_beginning() -> None:
    order = _order_after((_T.SUBMIT, _T.ACCEPT, _T.PARTIAL_FILL, _T.PEND_UPDATE, _T.PEND_CANCEL, _T.REFUSE_CANCEL))
    assert order.status is _S.PARTIALLY_FILLED


def _arrows(diagram: str) -> dict[tuple[str, str], set[str]]:
    arrows: dict[tuple[str, str], set[str]] = {}
    for line in diagram.splitlines()[1:]:
        way, _, labels = line.strip().partition(": ")
        source, _, target = way.partition(" --> ")
        arrows.setdefault((source, target), set()).update(labels.split(" / ") if labels else [])
    return arrows


def test_the_diagram_has_every_arrow_and_no_other() -> None:
    drawn = _arrows(to_mermaid())
    expected: dict[tuple[str, str], set[str]] = {("[*]", "INITIALIZED"): set()}

    def expect(source: OrderStatus, target: OrderStatus, trigger: Trigger) -> None:
        expected.setdefault((source.name, target.name), set()).add(trigger.name.lower().replace("_", " "))

    for status, row in TRANSITIONS.items():
        for trigger, target in row.items():
            expect(status, target, trigger)
    for status, before_request in PATHS:
        for trigger in _REQUEST_ENDS:
            target = after(status, before_request, trigger)
            if target is not None and target is not status:
                expect(status, target, trigger)
    for status in (_S.DENIED, _S.REJECTED, _S.CANCELED, _S.EXPIRED, _S.FILLED):
        expected[(status.name, "[*]")] = set()
    assert drawn == expected
