"""The venue's rate limits, shared by all clients of this process (protocol, 9)."""

from typing import Final

from nautilus_orderfeeds.feed.clock import Clock
from nautilus_orderfeeds.feed.limits import EVERY_ROUTE, Priority, Rate, RateLimiter, shared_limiter
from nautilus_orderfeeds.venues.sfox.settings import SfoxSettings

#: Routes with limits of their own.
CREATE: Final = "create"
OPEN_ORDERS: Final = "open orders"
DONE_ORDERS: Final = "done orders"
BALANCES: Final = "balances"

_ROUTE_PAUSE_SECS: Final = 10.0
_ADDRESS_PAUSE_SECS: Final = 60.0
_WINDOW_SECS: Final = 10.0
#: Windows of the routes are taken longer by so much: requests sent evenly may arrive unevenly.
_MARGIN: Final = 1.05


class RestLimits:
    """Limits of REST: per account and route, and per address.

    Implements `feed.limits.Limiter`. A refusal (429) does not say which limit it is about. One on a route with a limit
    is taken for that route's; one on a route without, or right after the route's rest, for the address's.

    Parameters
    ----------
    settings : SfoxSettings
        Whose limits.
    clock : Clock
        Source of time.

    Notes
    -----
    Made in a running event loop: all clients there share the address's limit, and those of an account its own.
    """

    def __init__(self, settings: SfoxSettings, clock: Clock) -> None:
        limits = settings.limits
        host, account = settings.base_url_http.rstrip("/"), f"{settings.api_key.reveal()}/{settings.user_id}"
        scale = limits.time_scale
        per_address = Rate(limits.rest_requests, _WINDOW_SECS * scale, pause_secs=_ADDRESS_PAUSE_SECS * scale)

        def per_route(count: int, period_secs: float = _WINDOW_SECS) -> Rate:
            return Rate(count, period_secs * scale * _MARGIN, pause_secs=_ROUTE_PAUSE_SECS * scale)

        self._routes = {
            CREATE: per_route(60, 1.0),
            OPEN_ORDERS: per_route(10),
            DONE_ORDERS: per_route(5),
            BALANCES: per_route(5),
        }
        self._again_secs = 2 * _ROUTE_PAUSE_SECS * scale
        self._clock = clock
        self._address = shared_limiter(host, "", {EVERY_ROUTE: per_address}, clock=clock)
        self._account = shared_limiter(host, account, self._routes, clock=clock)
        self._refused: dict[str, float] = {}

    async def acquire(self, route: str = "", priority: Priority = Priority.NORMAL) -> None:
        """Return when a request on `route` may go out."""
        await self._account.acquire(route, priority)
        await self._address.acquire("", priority)

    def pause(self, route: str, secs: float | None = None) -> None:
        """Rest after a refusal: the route 10 s, or everything 60 s, or as long as the venue says."""
        now = self._clock.monotonic()
        before = self._refused.get(route)
        self._refused[route] = now
        again = before is not None and now - before < self._again_secs
        if route in self._routes and not again:
            self._account.pause(route, secs)
        else:
            self._address.pause(EVERY_ROUTE, secs)


def ws_limiter(settings: SfoxSettings, clock: Clock) -> RateLimiter:
    """Return the limiter of WebSocket requests of this address; to be called in a running event loop."""
    limits = settings.limits
    rate = Rate(limits.ws_requests_per_min, 60.0 * limits.time_scale, pause_secs=limits.ws_block_secs)
    return shared_limiter(settings.base_url_ws.rstrip("/"), "", {EVERY_ROUTE: rate}, clock=clock)
