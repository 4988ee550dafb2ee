"""How a feed is doing, for strategies that want to stand aside and for people who watch."""

import logging
from collections.abc import Callable
from enum import Enum

import msgspec
from msgspec import Struct

from nautilus_orderfeeds.feed.clock import Clock

_log = logging.getLogger(__name__)


class FeedState(Enum):
    """Where a session stands in its life."""

    CONNECTING = "CONNECTING"
    """Waiting before an attempt, opening the connection, or in the handshake."""
    RESYNCING = "RESYNCING"
    """Subscribed; the snapshot is being taken while live frames are kept."""
    LIVE = "LIVE"
    """Snapshot and kept frames are applied; what the venue says arrives at once."""
    STALE = "STALE"
    """Silent, and a probe was not answered: about to reconnect."""
    DOWN = "DOWN"
    """Not running: not started, stopped, or ended by a fatal error (then `detail` says which)."""


class Health(Struct, frozen=True, kw_only=True):
    """State of one stream at one moment.

    Parameters
    ----------
    stream : str
        The stream's name.
    state : FeedState
        Where the session stands.
    since_ns : int
        When it came to this state, UNIX ns.
    last_frame_ns : int
        When the last frame arrived, UNIX ns; 0 if none ever did.
    connects : int
        Connections opened so far.
    gaps : int
        Times a missing frame or the like forced a resync or reconnect.
    malformed_frames : int
        Frames that could not be handled.
    detail : str
        Why, in words; empty if there is nothing to tell.
    """

    stream: str
    state: FeedState
    since_ns: int
    last_frame_ns: int = 0
    connects: int = 0
    gaps: int = 0
    malformed_frames: int = 0
    detail: str = ""


class HealthMonitor:
    """Keeps a stream's `Health` and tells of every change.

    Parameters
    ----------
    stream : str
        The stream's name.
    clock : Clock
        Source of time.
    on_change : Callable[[Health], None], optional
        Called after every change of state, detail or a counter; not for each frame's time, which `health` shows.
        An exception it raises is logged and goes no further.
    """

    def __init__(self, stream: str, clock: Clock, on_change: Callable[[Health], None] | None = None) -> None:
        self._clock = clock
        self._on_change = on_change
        self._last_frame_ns = 0
        self._health = Health(stream=stream, state=FeedState.DOWN, since_ns=clock.time_ns(), detail="not started")

    @property
    def state(self) -> FeedState:
        """Where the session stands."""
        return self._health.state

    @property
    def health(self) -> Health:
        """Everything known now."""
        return msgspec.structs.replace(self._health, last_frame_ns=self._last_frame_ns)

    def enter(self, state: FeedState, detail: str = "") -> None:
        """Come to `state`; the same state with the same detail changes nothing."""
        if state is self._health.state and detail == self._health.detail:
            return
        since_ns = self._health.since_ns if state is self._health.state else self._clock.time_ns()
        self._update(state=state, detail=detail, since_ns=since_ns)

    def frame_received(self) -> None:
        """Note the time of a frame (on the hot path, so nobody is told)."""
        self._last_frame_ns = self._clock.time_ns()

    def connected(self) -> None:
        """Count a connection that was opened."""
        self._update(connects=self._health.connects + 1)

    def gap(self) -> None:
        """Count a gap."""
        self._update(gaps=self._health.gaps + 1)

    def malformed(self) -> None:
        """Count a frame that could not be handled."""
        self._update(malformed_frames=self._health.malformed_frames + 1)

    def _update(self, **changes: object) -> None:
        self._health = msgspec.structs.replace(self._health, last_frame_ns=self._last_frame_ns, **changes)
        if self._on_change is None:
            return
        try:
            self._on_change(self._health)
        except Exception:
            _log.exception("%s: health callback failed; the feed goes on", self._health.stream)
