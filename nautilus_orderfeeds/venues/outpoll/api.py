"""Outpoll's REST interface: several hosts, one signature (protocol, 3, 4 and 8)."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Final

import msgspec

from nautilus_orderfeeds.feed.clock import Clock
from nautilus_orderfeeds.feed.errors import (
    FatalFeedError,
    NotSent,
    NotServed,
    OutcomeUnknown,
    TransientFeedError,
    excerpt,
)
from nautilus_orderfeeds.feed.limits import Priority
from nautilus_orderfeeds.feed.outcomes import outcome_of, outcome_of_failure
from nautilus_orderfeeds.feed.rest import Response, RestClient
from nautilus_orderfeeds.feed.rest import Signer as RestSigner
from nautilus_orderfeeds.orders.requests import Outcome, Refused
from nautilus_orderfeeds.venues.outpoll import wire
from nautilus_orderfeeds.venues.outpoll.settings import OutpollSettings, Service
from nautilus_orderfeeds.venues.outpoll.signing import Signer
from nautilus_orderfeeds.venues.outpoll.words import VENUE
from nautilus_orderfeeds.venues.rest_api import NOT_SERVED_STATUSES, RestApi, paced

_log = logging.getLogger(__name__)

#: What the venue answers if it takes no order (protocol, 9): anything else leaves it open.
_REFUSALS: Final = frozenset({400, 401, 403, 404, 429})
#: A cancel may be repeated, so having come too often refuses nothing: it is sent again later.
_CANCEL_REFUSALS: Final = _REFUSALS - {429}
_REASON_CHARS: Final = 200

#: What a host answers for a call, or a stream, that it does not have.

#: Share of a request's time after which an order that still waits to be sent is given up.
_OWN_DEADLINE: Final = 0.8
_LEAST_SECS: Final = 0.05

#: More pages than this are a fault of paging, not an account.
_MAX_PAGES: Final = 200


class _Host(RestApi):
    """One of the venue's hosts; `refused` makes the error of a read whose credentials are refused, at any of them."""

    def __init__(
        self, base_url: str, rest: RestClient, sign: RestSigner, refused: Callable[[str, Response], FatalFeedError]
    ) -> None:
        super().__init__(VENUE, base_url, rest, sign)
        self._refused = refused

    def check(self, path: str, response: Response) -> None:
        if response.status in (401, 403):
            raise self._refused(path, response)
        if response.status in NOT_SERVED_STATUSES:
            raise NotServed(f"{VENUE}: GET {path} is not served at {self.base_url} ({_said(response)})")
        super().check(path, response)

    def said(self, response: Response) -> str:
        return _said(response)


class OutpollApi:
    """Sends requests.

    Parameters
    ----------
    settings : OutpollSettings
        Addresses, credentials, limits.
    clock : Clock
        Source of time.
    signer : Signer, optional
        Of the API key; None: public requests only.

    Notes
    -----
    Made in a running event loop: clients of one API key in one loop share their rate limit.
    """

    def __init__(self, settings: OutpollSettings, clock: Clock, signer: Signer | None) -> None:
        self._settings = settings
        self._clock = clock
        self._signer = signer
        self._hosts: dict[Service, _Host] = {}
        #: When each body was last signed, UNIX secs, and who is about to send it now.
        self._signed: dict[bytes, int] = {}
        self._turns: dict[bytes, asyncio.Lock] = {}
        #: Why the key must not be used any more (403 is final); empty if it may.
        self.blocked = ""

    async def close(self) -> None:
        """Close all connections."""
        hosts, self._hosts = self._hosts, {}
        for host in hosts.values():
            await host.close()

    def timestamp(self) -> str:
        """Return the present time as the venue wants it: UNIX seconds."""
        return str(self._clock.time_ns() // 1_000_000_000)

    # -- reads -------------------------------------------------------------------------------------------------------

    async def read[T](
        self, service: Service, path: str, decode: Callable[[bytes], T], params: Mapping[str, str] | None = None
    ) -> T:
        """Read something of a service's, as `RestApi.read`."""
        return await self._host(service).read(path, decode, params)

    def _refused_read(self, path: str, response: Response) -> FatalFeedError:
        if response.status == 403:
            self.blocked = self.blocked or _said(response)
        return FatalFeedError(
            f"{VENUE}: credentials refused for GET {path} ({_said(response)}); check that "
            f"{self._settings.variable('api_key')} and {self._settings.variable('api_secret')} belong together, "
            "that no newer key was made (it replaces this one), and this machine's clock"
        )

    async def pages[T](
        self, service: Service, path: str, decode: Callable[[bytes], wire.Page[T]], size: int, **query: str
    ) -> AsyncIterator[list[T]]:
        """Yield the rows of each page until the last (protocol, 13.6); rows may shift between pages.

        Parameters
        ----------
        service : Service
            Whose list.
        path : str
            The list.
        decode : Callable[[bytes], Page]
            Reads a page.
        size : int
            Rows asked for in each.
        **query : str
            The rest of the query.

        Raises
        ------
        FeedError
            As `read`; also if the list does not end.
        """
        for number in range(_MAX_PAGES):
            page = await self.read(service, path, decode, {"page": str(number), "size": str(size), **query})
            yield page.i
            if page.tp is not None and page.p is not None:
                if page.p + 1 >= page.tp:
                    return
            elif len(page.i) < (page.s or size):
                return
            if not page.i:
                return
        raise TransientFeedError(f"{VENUE}: GET {path} has more than {_MAX_PAGES} pages")

    # -- commands ----------------------------------------------------------------------------------------------------

    async def post(self, path: str, content: bytes, ok: Callable[[Response], Outcome]) -> Outcome:
        """Send an order, once.

        Two equal requests of one second have equal signatures, and whether the venue takes that for a replay is not
        known: the second one waits for the next second (protocol, 12).
        """
        # Earlier than the caller's own deadline, which could not tell what was sent from what still waited.
        deadline = self._clock.monotonic() + self._settings.timeout_secs * _OWN_DEADLINE
        turn = self._turns.setdefault(content, asyncio.Lock())
        signed = asyncio.Event()

        def headers(method: str, path: str, query: str, body: bytes) -> Mapping[str, str]:
            made = self._headers(method, path, query, body)
            self._note_signed(content, int(made["OUTPOLL-API-TIMESTAMP"]))
            signed.set()
            return made

        async with turn:
            while self._clock.time_ns() // 1_000_000_000 <= self._signed.get(content, 0):
                await self._clock.sleep(1.0 - self._clock.time_ns() % 1_000_000_000 / 1e9)
            left_secs = max(deadline - self._clock.monotonic(), _LEAST_SECS)
            sending = asyncio.ensure_future(
                self._command("POST", path, content, ok, Priority.NORMAL, headers, timeout_secs=left_secs)
            )
            waiting = asyncio.ensure_future(signed.wait())
            try:
                await asyncio.wait({sending, waiting}, return_when=asyncio.FIRST_COMPLETED)
            except BaseException:
                sending.cancel()
                raise
            finally:
                waiting.cancel()
        try:
            return await sending
        except BaseException:
            sending.cancel()
            raise

    async def delete(self, path: str, ok: Callable[[Response], Outcome]) -> Outcome:
        """Send a cancel; one that came too often (429) is `Unknown`, and so sent again."""
        return await self._command("DELETE", path, None, ok, Priority.CANCEL, self._headers)

    async def _command(
        self,
        method: str,
        path: str,
        body: bytes | None,
        ok: Callable[[Response], Outcome],
        priority: Priority,
        headers: RestSigner,
        timeout_secs: float | None = None,
    ) -> Outcome:
        try:
            response = await self._host(Service.ORDERS).rest.request(
                method, path, body=body, auth=headers, priority=priority, timeout_secs=timeout_secs
            )
        except (NotSent, OutcomeUnknown) as exc:
            return outcome_of_failure(exc)
        if response.status in (_CANCEL_REFUSALS if method == "DELETE" else _REFUSALS):
            return self._refused(response)
        # Other statuses of the 4xx class are not documented: they prove nothing.
        return outcome_of(response, ok=ok, refused=lambda _: None)

    def _refused(self, response: Response) -> Refused:
        said = _said(response)
        match response.status:
            case 401:
                _log.error(
                    "%s: request refused (%s): check this machine's clock and whether a newer key exists", VENUE, said
                )
            case 403:
                self.blocked = self.blocked or said
                _log.error("%s: the API key is blocked for good (%s): no more orders are sent", VENUE, said)
            case _:
                pass
        return Refused(said)

    def _note_signed(self, body: bytes, secs: int) -> None:
        self._signed[body] = secs
        if len(self._signed) > 256:
            old = [known for known, at in self._signed.items() if at < secs - 2]
            for known in old:
                del self._signed[known]
                turn = self._turns.get(known)
                if turn is not None and not turn.locked():
                    del self._turns[known]

    def _headers(self, method: str, path: str, query: str, body: bytes) -> Mapping[str, str]:
        headers = {"accept": "application/json"}
        if self._signer is not None:
            headers |= self._signer.headers(self.timestamp(), method, path, body)
        return headers

    def _host(self, service: Service) -> _Host:
        host = self._hosts.get(service)
        if host is None:
            settings, base_url = self._settings, self._settings.http(service)
            limiter = paced(f"{base_url} {service.value}", settings.api_key, settings.requests_per_sec, self._clock)
            rest = RestClient(base_url, clock=self._clock, limiter=limiter, timeout_secs=settings.timeout_secs)
            host = self._hosts[service] = _Host(base_url, rest, self._headers, self._refused_read)
        return host


def _said(response: Response) -> str:
    """Return status and the first 200 characters of the body (protocol, 12: error bodies are not documented)."""
    text = excerpt(response.body, _REASON_CHARS)
    return f"HTTP {response.status}: {text}" if text else f"HTTP {response.status}"


def reader[T](decoder: "msgspec.json.Decoder[T]", expected: str) -> Callable[[bytes], T]:
    """Make a reader of an answer."""
    return lambda body: wire.decode(decoder, body, expected)
