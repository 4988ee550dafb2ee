"""What every REST call of the simulated sFOX passes first: maintenance, limits, authentication (protocol 3, 9)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from enum import Enum

from nautilus_orderfeeds.sim.server import Answer, Call, SimServer
from nautilus_orderfeeds.venues.sfox.twin_accounts import Key, Keyring, Refused
from nautilus_orderfeeds.venues.sfox.twin_limits import Limit, Limits
from nautilus_orderfeeds.venues.sfox.twin_options import SfoxTwinOptions

EVERYBODY = "127.0.0.1"

PrivateHandler = Callable[[Call, Key], Awaitable[Answer]]


class Access(Enum):
    """What a route asks of its caller's key."""

    READ = "read"
    TRADE = "trade"
    ENTERPRISE = "enterprise"


class Gate:
    """
    Adds routes to a server, each behind the checks that all have in common.

    Parameters
    ----------
    server : SimServer
    keyring : Keyring
    limits : Limits
    options : SfoxTwinOptions
    """

    def __init__(self, server: SimServer, keyring: Keyring, limits: Limits, options: SfoxTwinOptions) -> None:
        self._server = server
        self._keyring = keyring
        self._limits = limits
        self._options = options

    def private(
        self,
        method: str,
        path: str,
        handler: PrivateHandler,
        *,
        access: Access = Access.READ,
        limit: Limit | None = None,
    ) -> None:
        """Serve a route for those who have a key."""

        async def serve(call: Call) -> Answer:
            try:
                self._check_venue()
                key = self._keyring.authenticate(call.headers)
                if access is Access.ENTERPRISE and not key.is_enterprise:
                    raise Refused("enterprise access required", status=403)
                if access is Access.TRADE and key.is_read_only:
                    raise Refused("api key is read-only", status=403)
                if limit is not None:
                    self._check_limit(limit, key.account)
                return await handler(call, key)
            except Refused as refused:
                return self._refusal(refused)

        self._server.route(method, path, serve)

    def public(self, method: str, path: str, handler: Callable[[Call], Answer]) -> None:
        """Serve a route of market data."""

        async def serve(call: Call) -> Answer:
            try:
                self._check_venue()
                if self._options.public_rest_needs_auth or "Authorization" in call.headers:
                    self._keyring.authenticate(call.headers)
                return handler(call)
            except Refused as refused:
                return self._refusal(refused)

        self._server.route(method, path, serve)

    def _check_venue(self) -> None:
        if self._options.maintenance:
            raise Refused("service unavailable: maintenance", status=503)
        self._check_limit(Limit.IP, EVERYBODY)

    def _check_limit(self, limit: Limit, who: str) -> None:
        if self._options.rest_limits and (wait_secs := self._limits.wait_secs(limit, who)) > 0:
            raise TooMany(wait_secs)

    def _refusal(self, refused: Refused) -> Answer:
        answer = refused.answer()
        if isinstance(refused, TooMany) and self._options.retry_after:
            answer.headers["Retry-After"] = f"{max(1, round(refused.wait_secs))}"
        return answer


class TooMany(Refused):
    """429; `wait_secs` is how long the caller is to wait."""

    def __init__(self, wait_secs: float) -> None:
        super().__init__("too many requests", status=429)
        self.wait_secs = wait_secs
