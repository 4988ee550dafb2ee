"""What a venue's clock shows, estimated from its answers.

Venues that sign with timestamps accept them only within a window (Outpoll 30 s, BSX unknown), so a machine whose
clock is off must correct itself, or at least say so.

A server's time stamp `s` with resolution `r` was taken at some instant between sending the request (`t0`) and
receiving the answer (`t1`), and the server's clock then showed a value in `[s, s + r)`. So the offset of its
clock lies between `s - t1` and `s + r - t0`; each observation is such an interval.
"""

from collections import deque
from email.utils import parsedate_to_datetime
from statistics import median_low

from nautilus_orderfeeds.feed.clock import Clock
from nautilus_orderfeeds.feed.rest import Response

_DATE_RESOLUTION_NS = 1_000_000_000


class ServerClock:
    """Estimate of one venue's clock.

    Parameters
    ----------
    clock : Clock
        Ours.
    samples : int, default 9
        Observations kept; the estimate is their median, so that single bad ones (a cached answer) do not matter.
    """

    def __init__(self, clock: Clock, *, samples: int = 9) -> None:
        if samples < 1:
            raise ValueError(f"expected at least one sample, received {samples}")
        self._clock = clock
        self._samples: deque[tuple[int, int]] = deque(maxlen=samples)

    @property
    def samples(self) -> int:
        """Observations the estimate rests on."""
        return len(self._samples)

    @property
    def offset_ns(self) -> int:
        """Venue's clock minus ours, ns; 0 as long as nothing was observed."""
        if not self._samples:
            return 0
        return median_low(middle for middle, _ in self._samples)

    @property
    def uncertainty_ns(self) -> int | None:
        """Bound of the error of `offset_ns`, ns, if no observation was wrong; None if there is none."""
        if not self._samples:
            return None
        offset = self.offset_ns
        # Each observation bounds the true offset from both sides. Those whose middle is not below the median
        # bound it from below by at least median - half width, the others likewise from above.
        below = min(half for middle, half in self._samples if middle >= offset)
        above = min(half for middle, half in self._samples if middle <= offset)
        return max(below, above)

    def time_ns(self) -> int:
        """Return the venue's time now, UNIX ns, as far as known."""
        return self._clock.time_ns() + self.offset_ns

    def observe(self, server_ns: int, *, sent_ns: int, received_ns: int, resolution_ns: int = 1) -> None:
        """Take in one time stamp of the venue.

        Parameters
        ----------
        server_ns : int
            What the venue's clock showed, UNIX ns, rounded down to its resolution.
        sent_ns, received_ns : int
            Our clock before the request and after the answer, UNIX ns.
        resolution_ns : int, default 1
            Step of the time stamp, ns.

        Raises
        ------
        ValueError
            If the answer was received before it was asked for (our clock was set back meanwhile).
        """
        if received_ns < sent_ns or resolution_ns < 1:
            raise ValueError(
                f"expected sent_ns <= received_ns and resolution_ns >= 1; received {sent_ns=}, {received_ns=}, "
                f"{resolution_ns=}; drop this observation"
            )
        low = server_ns - received_ns
        high = server_ns + resolution_ns - sent_ns
        # The half width is rounded up, so that the interval is not made narrower than it is.
        self._samples.append(((low + high) // 2, (high - low + 1) // 2 + 1))

    def observe_date(self, response: Response) -> bool:
        """Take in the `Date` header of an answer (one second's resolution); say whether there was a usable one."""
        value = response.headers.get("Date")
        if value is None or response.received_ns < response.sent_ns:
            return False
        try:
            server_ns = round(parsedate_to_datetime(value).timestamp()) * 1_000_000_000
        except (ValueError, TypeError, OverflowError):
            return False
        self.observe(
            server_ns,
            sent_ns=response.sent_ns,
            received_ns=response.received_ns,
            resolution_ns=_DATE_RESOLUTION_NS,
        )
        return True
