"""A venue's REST interface as reads and commands: what is the same wherever a venue has one.

A read returns what the venue says, or raises the `FeedError` that tells whether trying again can help. A command
returns an `Outcome`: only the venue's own word makes a `Refused` (`feed.outcomes`). A venue's subclass says who signs,
what a refusal of the credentials looks like, and how its own errors are worded.
"""

import logging
from collections.abc import Callable
from typing import Final

from msgspec import Struct

from nautilus_orderfeeds.feed.clock import Clock
from nautilus_orderfeeds.feed.errors import NotSent, NotServed, OutcomeUnknown, TransientFeedError
from nautilus_orderfeeds.feed.limits import EVERY_ROUTE, Limiter, Priority, Rate, shared_limiter
from nautilus_orderfeeds.feed.outcomes import outcome_of, outcome_of_failure
from nautilus_orderfeeds.feed.rest import Params, Response, RestClient, Signer
from nautilus_orderfeeds.orders.requests import Outcome

_log = logging.getLogger(__name__)

_NOT_FOUND: Final = 404

#: The path or the method is unknown there.
NOT_SERVED_STATUSES: Final = frozenset({_NOT_FOUND, 405, 501})


class Unreachable(TransientFeedError):
    """The host gave no answer at all."""


class Request(Struct, frozen=True):
    """One request that is not signed yet; its fields are those of `RestClient.request`."""

    method: str
    path: str
    params: Params = None
    body: bytes | None = None
    route: str = ""
    priority: Priority = Priority.NORMAL
    repeat: bool = True


def paced(host: str, account_key: str, requests_per_sec: int, clock: Clock) -> Limiter:
    """Return the limit that all clients of `account_key` at `host` share, in the running event loop."""
    return shared_limiter(host, account_key, {EVERY_ROUTE: Rate(requests_per_sec, 1.0)}, clock=clock)


class RestApi:
    """Sends the requests of one account to one host.

    Parameters
    ----------
    venue : str
        Begins every message.
    base_url : str
        The host, as messages name it.
    rest : RestClient
        The way there.
    sign : Signer
        Makes the headers that authenticate a request.
    prefix : str
        Before the path of every read; messages leave it out.
    """

    def __init__(self, venue: str, base_url: str, rest: RestClient, sign: Signer, prefix: str = "") -> None:
        self.venue = venue
        self.base_url = base_url
        self.rest = rest
        self._sign = sign
        self.prefix = prefix
        #: Paths that `optional` has found not to be served.
        self.missed: set[str] = set()

    async def close(self) -> None:
        """Close all connections."""
        await self.rest.close()

    async def read[T](
        self,
        path: str,
        decode: Callable[[bytes], T],
        params: Params = None,
        *,
        route: str = "",
        priority: Priority = Priority.READ,
    ) -> T:
        """Read something.

        Parameters
        ----------
        path : str
            Percent-encoded, without the prefix.
        decode : Callable[[bytes], T]
            Reads the body; raises `FrameError` or `ValueError`.
        params : optional
            The query.
        route : str
            Name of the rate limit.
        priority : Priority
            Who goes first when a limit makes requests wait.

        Raises
        ------
        FatalFeedError
            If the credentials are refused.
        NotServed
            If this installation of the venue does not have the call.
        TransientFeedError
            If it could not be read now.
        FrameError
            If the answer cannot be understood.
        """
        request = Request("GET", self.prefix + path, params, route=route, priority=priority)
        return self.decoded(path, await self.get(request), decode)

    async def optional[T](
        self,
        path: str,
        decode: Callable[[bytes], T],
        params: Params = None,
        *,
        route: str = "",
        priority: Priority = Priority.READ,
    ) -> T | None:
        """Read something that an installation may lack: None then, and a warning once; otherwise raises as `read`.

        What is not told stays unknown: nothing may be concluded from it.
        """
        try:
            return await self.read(path, decode, params, route=route, priority=priority)
        except NotServed as exc:
            if path not in self.missed:
                self.missed.add(path)
                _log.warning("%s; going on without what it would tell", exc)
            return None

    async def find[T](self, path: str, decode: Callable[[bytes], T], params: Params = None) -> T | None:
        """Read something that may not exist: None if the venue answers 404; otherwise raises as `read`."""
        response = await self.get(Request("GET", self.prefix + path, params, priority=Priority.READ))
        return None if response.status == _NOT_FOUND else self.decoded(path, response, decode)

    async def get(self, request: Request) -> Response:
        """Return the answer to a read, whatever its status; raises `Unreachable` if there is none."""
        try:
            return await self.exchange(request)
        except (NotSent, OutcomeUnknown) as exc:
            raise Unreachable(f"{self.venue}: cannot reach {self.base_url}: {exc}") from None

    def check(self, path: str, response: Response) -> None:
        """Raise what the answer to a read of `path` means, if it is no success.

        A venue's own looks at its credentials first, because only its page says how they are refused.
        """
        if response.ok:
            return
        said = self.said(response)
        if response.status in NOT_SERVED_STATUSES:
            raise NotServed(f"{self.venue}: GET {path} is not served here ({said})")
        raise TransientFeedError(
            f"{self.venue}: GET {path} failed with {said}", retry_after_secs=response.retry_after_secs
        )

    def said(self, response: Response) -> str:
        """Return an answer as messages show it."""
        return response.excerpt()

    def decoded[T](self, path: str, response: Response, decode: Callable[[bytes], T]) -> T:
        """Return what the answer to a read of `path` says; raises as `read`."""
        self.check(path, response)
        try:
            return decode(response.body)
        except ValueError as exc:
            raise TransientFeedError(f"{self.venue}: unreadable answer to GET {path}: {exc}") from None

    async def outcome(
        self,
        request: Request,
        *,
        ok: Callable[[Response], Outcome],
        refused: Callable[[Response], Outcome | None],
    ) -> Outcome:
        """Send a command, once, and judge what came of it; `ok` and `refused` are those of `outcome_of`."""
        try:
            response = await self.exchange(request)
        except (NotSent, OutcomeUnknown) as exc:
            return outcome_of_failure(exc)
        return outcome_of(response, ok=ok, refused=refused)

    async def exchange(self, request: Request) -> Response:
        """Send a request and return the answer; raises `NotSent` or `OutcomeUnknown`."""
        return await self.rest.request(
            request.method,
            request.path,
            params=request.params,
            body=request.body,
            route=request.route,
            auth=self._sign,
            priority=request.priority,
            repeat=request.repeat,
        )
