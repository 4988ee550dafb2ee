"""An order whose outcome is not known is shown as exactly that."""

import pytest

from nautilus_orderfeeds.orders.limbo import Limbo, limbo_of, status_text
from nautilus_orderfeeds.orders.transitions import PENDING_STATUSES
from nautilus_orderfeeds.orders.words import CLOSED_STATUSES, OrderStatus

OPEN = {OrderStatus.ACCEPTED, OrderStatus.TRIGGERED, OrderStatus.PARTIALLY_FILLED, OrderStatus.INITIALIZED}


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("status", sorted(OPEN | CLOSED_STATUSES, key=lambda status: status.name))
def test_what_is_known_is_shown_as_it_is(status: OrderStatus, named: bool) -> None:
    assert limbo_of(status, is_named=named) is None
    assert status_text(status, is_named=named) == status.name


@pytest.mark.parametrize("status", [OrderStatus.SUBMITTED, *sorted(PENDING_STATUSES, key=lambda status: status.name)])
def test_every_open_request_is_shown_as_not_known(status: OrderStatus) -> None:
    assert limbo_of(status, is_named=True) is not None
    assert status_text(status, is_named=True).startswith(f"{status.name} (outcome unknown): ")


def test_an_order_without_an_answer_is_told_from_one_that_was_taken() -> None:
    assert limbo_of(OrderStatus.SUBMITTED, is_named=False) is Limbo.NO_ANSWER
    assert limbo_of(OrderStatus.SUBMITTED, is_named=True) is Limbo.NOT_SEEN
    assert status_text(OrderStatus.SUBMITTED, is_named=False) == "SUBMITTED (outcome unknown): sent, no answer"
