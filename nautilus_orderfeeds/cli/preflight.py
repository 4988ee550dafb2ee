"""What `orderfeeds check` looks at, step by step, in terms of the `Venue` protocol: nothing here knows a venue.

No order is sent and nothing is changed at the venue.
"""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager, AsyncExitStack, suppress
from enum import Enum, unique
from statistics import median
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp
from msgspec import Struct

from nautilus_orderfeeds.adapter.credentials import env_name
from nautilus_orderfeeds.adapter.instruments import load_file, to_spec
from nautilus_orderfeeds.cli.console import Notes, logging_to, secs
from nautilus_orderfeeds.feed.errors import FeedError, TransientFeedError
from nautilus_orderfeeds.feed.rest import Response
from nautilus_orderfeeds.feed.server_clock import ServerClock
from nautilus_orderfeeds.feed.session import FeedSession
from nautilus_orderfeeds.feed.stream import Stream
from nautilus_orderfeeds.orders.updates import END_STATUSES
from nautilus_orderfeeds.venues.base import MarketFeed, Venue
from nautilus_orderfeeds.venues.registry import VenueEntry

_STEP_SECS: Final = 20.0
#: A feed that will come has come by then; a refused one is tried again and again until then.
_FEED_SECS: Final = 8.0
_ROUND_TRIPS: Final = 5
_NS_PER_SEC: Final = 1_000_000_000
_LOOKBACK_NS: Final = 3600 * _NS_PER_SEC
#: Venues that stamp or sign with time refuse more than some seconds; a second is worth a word.
_CLOCK_WARN_NS: Final = 1 * _NS_PER_SEC
_CLOCK_FAIL_NS: Final = 10 * _NS_PER_SEC


@unique
class Verdict(Enum):
    """How a step ended."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    SKIPPED = "skipped"


class Finding(Struct, frozen=True):
    """One step's result: what was found, and what to do about it."""

    name: str
    verdict: Verdict
    detail: str
    advice: str = ""
    secs: float = 0.0


class Failure(Exception):
    """A step found something that must be mended first."""

    def __init__(self, detail: str, advice: str = "") -> None:
        super().__init__(detail)
        self.detail = detail
        self.advice = advice


class Warned(Struct, frozen=True):
    """A step went well enough, but."""

    detail: str
    advice: str = ""


Step = Callable[[], Awaitable["str | Warned"]]


class Preflight:
    """Checks one account at one venue.

    Parameters
    ----------
    entry : VenueEntry
        The venue.
    exec_config, data_config : Any
        Its configs.
    report : Callable[[Finding], None]
        Told of each step when it is done.
    waiting : Callable[[str], AbstractContextManager[None]]
        Shows what is being waited for.
    """

    def __init__(
        self,
        entry: VenueEntry,
        exec_config: Any,
        data_config: Any,
        report: Callable[[Finding], None],
        waiting: Callable[[str], AbstractContextManager[None]],
    ) -> None:
        self._entry = entry
        self._config = exec_config
        self._data_config = data_config
        self._report = report
        self._waiting = waiting
        self._notes = Notes()
        self._clock = entry.door.clock
        self._server_clock = ServerClock(self._clock)
        self._round_trips_ns: list[int] = []
        self._sessions: list[FeedSession] = []
        self._unreadable: list[str] = []
        self._frames = 0
        self._venue: Venue
        self._market: MarketFeed

    async def run(self) -> list[Finding]:
        """Take every step; one that needs a failed one is skipped. Everything opened is closed again."""
        steps: list[tuple[str, Step, tuple[str, ...]]] = [
            ("settings", self._settings, ()),
            ("credentials", self._credentials, ()),
            ("reachability", self._reach, ("settings",)),
            ("clock", self._offset, ("reachability",)),
            ("login", self._login, ("settings", "reachability")),
            ("instruments", self._instruments, ("login",)),
            ("private feed", self._feed, ("login",)),
            ("account", self._account, ("instruments", "private feed")),
            ("market data", self._market_data, ("instruments",)),
            ("latency", self._latency, ("reachability",)),
        ]
        findings: dict[str, Finding] = {}
        bad = {Verdict.FAILED, Verdict.SKIPPED}
        async with AsyncExitStack() as stack:
            stack.enter_context(logging_to(self._notes))
            stack.push_async_callback(self._close)
            for name, step, needs in steps:
                missing = [need for need in needs if findings[need].verdict in bad]
                if missing:
                    finding = Finding(name, Verdict.SKIPPED, f"needs {missing[0]}")
                else:
                    finding = await self._take(name, step)
                findings[name] = finding
                self._report(finding)
        return list(findings.values())

    async def _take(self, name: str, step: Step) -> Finding:
        began = time.monotonic()
        verdict, advice = Verdict.OK, ""
        try:
            with self._waiting(f"checking {name}"):
                async with asyncio.timeout(_STEP_SECS):
                    found = await step()
            detail = found if isinstance(found, str) else found.detail
            if not isinstance(found, str):
                verdict, advice = Verdict.WARNING, found.advice
        except Failure as e:
            verdict, detail, advice = Verdict.FAILED, e.detail, e.advice
        except FeedError as e:
            verdict, detail = Verdict.FAILED, str(e)
            advice = "if it stays so, check address and network" if isinstance(e, TransientFeedError) else ""
        except TimeoutError:
            verdict, detail = Verdict.FAILED, f"not done within {_STEP_SECS:g} s"
        notes = self._notes.take()
        if notes and verdict is Verdict.OK:  # otherwise they only tell of the same
            verdict, advice = Verdict.WARNING, "; ".join(dict.fromkeys(notes))
        return Finding(name, verdict, detail, advice, round(time.monotonic() - began, 3))

    async def _close(self) -> None:
        for session in self._sessions:
            await session.stop()
        for opened in ("_venue", "_market"):
            if hasattr(self, opened):
                await getattr(self, opened).close()

    # -- steps -----------------------------------------------------------------------------------------------------

    async def _settings(self) -> str:
        try:
            self._venue = self._entry.door.make_venue(self._config)
            self._market = self._entry.door.make_market(self._data_config)
        except ValueError as e:
            raise Failure(str(e), "mend the option named") from None
        environment = getattr(self._config, "environment", "live")
        return f"{self._entry.client_name} {environment}, account {self._config.account}"

    async def _credentials(self) -> "str | Warned":
        environment = getattr(self._config, "environment", "live")
        secrets = sorted(type(self._config).SECRETS)
        variables = {field: env_name(self._entry.client_name, field, environment) for field in secrets}
        # What the venue makes of it is the login's business: some need not all of them.
        found = [name for field, name in variables.items() if _given(self._config, field, name)]
        missing = [name for name in variables.values() if name not in found]
        if not variables:
            return "this venue has none"
        if not found:
            return Warned(f"none in the environment (looked for {', '.join(missing)})", f"set {', '.join(missing)}")
        return f"set: {', '.join(found)}" + (f"; not set: {', '.join(missing)}" if missing else "")

    async def _reach(self) -> str:
        hosts = self._hosts()
        if not hosts:
            raise Failure("no address is known", "give --base-url-http and --base-url-ws")
        told = []
        async with aiohttp.ClientSession(trust_env=True, timeout=aiohttp.ClientTimeout(total=_STEP_SECS / 2)) as http:
            for host in hosts:
                before = len(self._round_trips_ns)
                await self._knock(http, host)
                trips = self._round_trips_ns[before:]
                tls = "TLS ok" if host.startswith("https") else "no TLS"
                told.append(f"{urlsplit(host).netloc} ({tls}, {secs(int(median(trips)))})")
        return ", ".join(told)

    def _hosts(self) -> list[str]:
        """Return the addresses to knock at: the REST base if it was given, and those of the streams."""
        urls = [self._config.base_url_http or ""]
        for stream in (*self._venue.streams(), self._market.stream()):
            with suppress(FeedError):  # one that needs a token first is told by the login
                urls.append(stream.url())
        hosts = []
        for url in urls:
            parts = urlsplit(url)
            scheme = {"ws": "http", "wss": "https"}.get(parts.scheme, parts.scheme)
            if parts.netloc:
                hosts.append(f"{scheme}://{parts.netloc}/")
        return list(dict.fromkeys(hosts))

    async def _knock(self, http: aiohttp.ClientSession, host: str) -> None:
        """Ask for the front page a few times: any HTTP answer proves the way, and its date shows the clock."""
        where = urlsplit(host).netloc
        try:
            for n in range(_ROUND_TRIPS + 1):
                sent_ns = self._clock.time_ns()
                async with http.get(host, allow_redirects=False) as answer:
                    await answer.read()
                received_ns = self._clock.time_ns()
                if n:  # the first one had to connect
                    self._round_trips_ns.append(received_ns - sent_ns)
                self._server_clock.observe_date(
                    Response(answer.status, answer.headers, b"", sent_ns=sent_ns, received_ns=received_ns)
                )
        except aiohttp.ClientConnectorCertificateError as e:
            raise Failure(
                f"{where}: the certificate is not trusted: {e.certificate_error}", "check clock and proxy"
            ) from e
        except aiohttp.ClientConnectorDNSError:
            raise Failure(f"{where}: the name cannot be resolved", "check the address and the network") from None
        except aiohttp.ClientConnectorError as e:
            cause = os.strerror(e.os_error.errno) if e.os_error.errno else str(e.os_error)
            raise Failure(f"{where}: {cause}", "is it the right address and port?") from None
        except aiohttp.ClientError as e:
            raise Failure(f"{where}: {type(e).__name__}: {e}", "is it the right address and port?") from None
        except TimeoutError:
            raise Failure(f"{where}: no answer within {_STEP_SECS / 2:g} s", "check firewall and proxy") from None

    async def _offset(self) -> "str | Warned":
        uncertainty_ns = self._server_clock.uncertainty_ns
        if uncertainty_ns is None:
            return Warned("no answer carried a date", "make sure that this machine's clock is synchronised")
        offset_ns = self._server_clock.offset_ns
        certain_ns = max(abs(offset_ns) - uncertainty_ns, 0)
        within = f"{uncertainty_ns / 1e9:.1f} s, by the dates of its answers"
        if not certain_ns:
            return f"in step with the venue's, to ± {within}"
        told = f"this machine is {abs(offset_ns) / 1e9:.1f} s {'behind' if offset_ns > 0 else 'ahead'}, to ± {within}"
        advice = "synchronise this machine's clock (NTP)"
        if certain_ns > _CLOCK_FAIL_NS:
            raise Failure(told, advice)
        return Warned(told, advice) if certain_ns > _CLOCK_WARN_NS else told

    async def _login(self) -> str:
        marks: dict[str, int] = {}
        # What the node's journal keeps for good matters only for orders, and none are sent.
        self._venue.use_marks(lambda key: marks.get(key, 0), marks.__setitem__)
        await self._venue.open()
        return "accepted"

    async def _instruments(self) -> str:
        listed = await self._venue.instruments()
        path = self._config.instruments
        from_file = [to_spec(instrument) for instrument in load_file(path)] if path else []
        if not listed and not from_file:
            raise Failure("the venue lists none", "name a file of instruments (--instruments)")
        self._venue.use_instruments([*listed, *from_file])
        self._market.use_instruments([*listed, *from_file])
        symbols = [spec.symbol for spec in (*listed, *from_file)]
        shown = ", ".join(symbols[:4]) + (", ..." if len(symbols) > 4 else "")
        return f"{len(symbols)} ({shown})"

    async def _feed(self) -> "str | Warned":
        told = []
        for n, stream in enumerate(self._venue.streams()):
            session = await self._live(stream, self._venue.decode)
            if n == 0:
                self._venue.attach(session.send)
            told.append(f"{stream.name} live")
        if self._unreadable:
            return Warned(f"{', '.join(told)}; {len(self._unreadable)} frames unreadable", self._unreadable[0])
        return ", ".join(told)

    async def _live(self, stream: Stream, decode: Callable[[bytes], Any]) -> FeedSession:
        def on_frame(raw: bytes) -> None:
            self._frames += 1
            try:
                decode(raw)
            except FeedError as e:
                self._unreadable.append(str(e))

        session = FeedSession(stream, on_frame, clock=self._clock, start_timeout_secs=_FEED_SECS)
        self._sessions.append(session)
        await session.start()
        return session

    async def _account(self) -> str:
        truth = await self._venue.resync([], self._clock.time_ns() - _LOOKBACK_NS)
        n = sum(u.status is not None and u.status not in END_STATUSES for u in truth.updates)
        told = [f"{n} open order" + ("" if n == 1 else "s")]
        if truth.positions is not None:
            told.append(f"{sum(bool(p.signed_qty) for p in truth.positions)} positions")
        if truth.account is None:
            told.append("no balances told (config field `starting_balances`)")
        else:
            told.append("balances in " + (", ".join(b.currency for b in truth.account.balances) or "no currency"))
        return ", ".join(told)

    async def _market_data(self) -> str:
        await self._market.open()
        stream = self._market.stream()
        await self._live(stream, self._market.decode)
        return f"{stream.name} live"

    async def _latency(self) -> str:
        trips = self._round_trips_ns
        return f"median {secs(int(median(trips)))} of {len(trips)} HTTP round trips (best {secs(min(trips))})"


def _given(config: Any, field: str, variable: str) -> bool:
    return bool(getattr(config, field, None) or os.environ.get(variable))
