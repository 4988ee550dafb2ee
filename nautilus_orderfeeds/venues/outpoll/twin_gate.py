"""What every REST call of the simulated Outpoll passes first: key or login, and its errors (protocol 4, 8)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from nautilus_orderfeeds.sim.server import Answer, Call, SimServer
from nautilus_orderfeeds.venues.outpoll.twin_assumed import error_answer
from nautilus_orderfeeds.venues.outpoll.twin_keys import Keyring, Refused
from nautilus_orderfeeds.venues.outpoll.twin_options import OutpollTwinOptions

KEY, SIGNATURE, TIMESTAMP = "OUTPOLL-API-KEY", "OUTPOLL-API-SIGNATURE", "OUTPOLL-API-TIMESTAMP"
_HEADERS = (KEY, SIGNATURE, TIMESTAMP)
_BEARER = "Bearer "

PrivateHandler = Callable[[Call, str], Awaitable[Answer]]
"""Gets the call and the user id."""


class Gate:
    """
    Adds routes to a server, each behind the checks that it needs.

    Parameters
    ----------
    server : SimServer
    keyring : Keyring
    options : OutpollTwinOptions
    """

    def __init__(self, server: SimServer, keyring: Keyring, options: OutpollTwinOptions) -> None:
        self._server = server
        self._keyring = keyring
        self._options = options
        self._seen: set[str] = set()
        server.error_answer = lambda status, text: error_answer(status, text, options.error_body)

    def private(self, method: str, path: str, handler: PrivateHandler) -> None:
        """Serve a route to those who sign with an API key, or have the account login."""

        async def serve(call: Call) -> Answer:
            return await handler(call, self._signed_in(call))

        self._serve(method, path, serve)

    def login_only(self, method: str, path: str, handler: PrivateHandler) -> None:
        """Serve a route to the account login only: 403 for API key headers (4.2)."""

        async def serve(call: Call) -> Answer:
            if any(name in call.headers for name in _HEADERS):
                raise Refused(403, "API keys are not allowed here")
            return await handler(call, self._keyring.owner_of_login(_token(call)))

        self._serve(method, path, serve)

    def public(self, method: str, path: str, handler: Callable[[Call], Awaitable[Answer]]) -> None:
        """Serve a route to everybody."""
        self._serve(method, path, handler)

    def _serve(self, method: str, path: str, handler: Callable[[Call], Awaitable[Answer]]) -> None:
        async def serve(call: Call) -> Answer:
            try:
                return await handler(call)
            except Refused as refused:
                return error_answer(refused.status, refused.text, self._options.error_body)

        self._server.route(method, path, serve)

    def _signed_in(self, call: Call) -> str:
        has_key = any(name in call.headers for name in _HEADERS)
        if "Authorization" in call.headers:
            if has_key:
                raise Refused(400, "Use either a bearer token or an API key")
            return self._keyring.owner_of_login(_token(call))
        if not all(name in call.headers for name in _HEADERS):
            raise Refused(401, "Invalid or missing credentials")
        signature = call.headers[SIGNATURE]
        found = self._keyring.authenticate(
            key=call.headers[KEY],
            signature=signature,
            timestamp=call.headers[TIMESTAMP],
            method=call.method,
            # As sent, percent-encoding included, and without the query (4.1).
            path=call.target.split("?", 1)[0],
            body=call.body,
            window_secs=self._options.window_secs,
        )
        if call.method == "POST":
            if self._options.refuse_replays and signature in self._seen:
                raise Refused(401, "Signature was used before")
            self._seen.add(signature)
        return found.owner


def _token(call: Call) -> str:
    text = call.headers.get("Authorization", "")
    if not text.startswith(_BEARER):
        raise Refused(401, "Unauthorized")
    return text.removeprefix(_BEARER)
