"""What a simulated venue has shown of its orders so far: the past is kept, so that it can be shown again."""

from __future__ import annotations

from collections import deque
from typing import Protocol

from nautilus_orderfeeds.sim.model import SimOrder

_REMEMBERED = 1000


class OrderView(Protocol):
    """An order as a venue shows it at one moment, in the venue's own words."""

    @property
    def order(self) -> SimOrder:
        """The order itself."""


class OrderViews[View: OrderView]:
    """
    The latest view of every order, and the ones that the latest changes replaced.

    Only so many changes are remembered: a venue that runs for days must not grow for ever.
    """

    def __init__(self) -> None:
        self._latest: dict[str, View] = {}
        self._replaced: deque[tuple[str, View | None]] = deque(maxlen=_REMEMBERED)

    def add(self, view: View) -> View | None:
        """Show an order like this from now on; the view that this replaces, if there was one."""
        key = view.order.venue_order_id
        before = self._latest.get(key)
        self._replaced.append((key, before))
        self._latest[key] = view
        return before

    def latest(self, venue_order_id: str) -> View | None:
        """The latest view of an order."""
        return self._latest.get(venue_order_id)

    def shown(self, lag: int = 0) -> list[View]:
        """Every order, the one that was shown first at the front, as it stood `lag` changes ago."""
        views = dict(self._latest)
        for key, before in list(self._replaced)[-lag:][::-1] if lag else ():
            if before is None:
                del views[key]
            else:
                views[key] = before
        return list(views.values())
