"""How every REST route of the simulated Roxom is served: prefixes, authentication, refusals (protocol 1, 2, 4.10)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from nautilus_orderfeeds.sim.server import Answer, Call, SimServer
from nautilus_orderfeeds.venues.roxom.twin_errors import Errors, Refused
from nautilus_orderfeeds.venues.roxom.twin_keys import Keyring, RoxomAccount
from nautilus_orderfeeds.venues.roxom.twin_options import RoxomTwinOptions

PREFIXES = ("/v1", "/api/v1")

PrivateHandler = Callable[[Call, RoxomAccount], Answer]
PublicHandler = Callable[[Call], Answer]


class Gate:
    """
    Adds routes to a server, under every prefix there is.

    Parameters
    ----------
    server : SimServer
    keyring : Keyring
    errors : Errors
    options : RoxomTwinOptions
    """

    def __init__(self, server: SimServer, keyring: Keyring, errors: Errors, options: RoxomTwinOptions) -> None:
        self._server = server
        self._keyring = keyring
        self._errors = errors
        self._options = options

    def private(self, method: str, path: str, handler: PrivateHandler) -> None:
        """Serve `path` (without prefix) to whoever proves who they are."""

        def serve(call: Call) -> Answer:
            account = self._keyring.check_call(call.headers, call.method, call.target, call.body)
            self._check_content_type(call)
            return handler(call, account)

        self.public(method, path, serve)

    def public(self, method: str, path: str, handler: PublicHandler) -> None:
        """Serve `path` (without prefix) to everybody."""
        for prefix in PREFIXES:
            self._server.route(method, prefix + path, self._guarded(prefix, handler))

    def book(self, path: str, handler: PublicHandler) -> None:
        """Serve `path` to everybody, unless the options ask for authentication."""

        def serve(call: Call) -> Answer:
            if not self._options.public_book:
                self._keyring.check_call(call.headers, call.method, call.target, call.body)
            return handler(call)

        self.public("GET", path, serve)

    def lag(self, call: Call, route: str) -> int:
        """By how many changes a `STALE_SNAPSHOT` fault makes this reply late; `route` has no prefix."""
        return self._server.faults.lag(*(f"{call.method} {prefix}{route}" for prefix in ("", *PREFIXES)))

    def _guarded(self, prefix: str, handler: PublicHandler) -> Callable[[Call], Awaitable[Answer]]:
        async def serve(call: Call) -> Answer:
            try:
                if prefix not in self._options.prefixes:
                    raise Refused("Not Found", status=404)
                return handler(call)
            except Refused as refused:
                return self._errors.answer(refused)

        return serve

    def _check_content_type(self, call: Call) -> None:
        kind = call.headers.get("Content-Type", "").split(";")[0].strip().lower()
        if call.body and self._options.require_content_type and kind != "application/json":
            raise Refused("Invalid request body", f"Content-Type must be application/json, got {kind!r}")
