"""How long to wait before the next attempt: exponential backoff with full jitter.

Full jitter (a uniform draw between zero and a growing window) spreads the clients of a venue that comes back
from maintenance, where equal delays would make all of them knock at once.
"""

import random as random_module

# 2**1000 is near the largest float; the cap is reached long before.
_MAX_EXPONENT = 1000


class Backoff:
    """Delays of one series of attempts.

    Parameters
    ----------
    initial_secs : float, default 0.5
        Window of the first delay.
    cap_secs : float, default 30.0
        Largest window.
    factor : float, default 2.0
        Growth of the window from one attempt to the next.
    floor_secs : float, default 0.0
        Least delay, for venues that punish frequent connects.
    reset_after_secs : float, default 30.0
        A live period of at least this length starts the series anew. A shorter one does not, or a venue that
        accepts and drops every connection would be hammered.
    random : random.Random, optional
        Source of the jitter.
    """

    def __init__(
        self,
        *,
        initial_secs: float = 0.5,
        cap_secs: float = 30.0,
        factor: float = 2.0,
        floor_secs: float = 0.0,
        reset_after_secs: float = 30.0,
        random: random_module.Random | None = None,
    ) -> None:
        if not (0 < initial_secs <= cap_secs and factor >= 1 and floor_secs >= 0 and reset_after_secs >= 0):
            raise ValueError(
                "expected 0 < initial_secs <= cap_secs, factor >= 1, floor_secs >= 0, reset_after_secs >= 0; "
                f"received {initial_secs=}, {cap_secs=}, {factor=}, {floor_secs=}, {reset_after_secs=}"
            )
        self._initial_secs = initial_secs
        self._cap_secs = cap_secs
        self._factor = factor
        self._floor_secs = floor_secs
        self._reset_after_secs = reset_after_secs
        self._random = random or random_module.Random()
        self._attempts = 0

    @property
    def attempts(self) -> int:
        """Delays drawn since the series began."""
        return self._attempts

    def window_secs(self) -> float:
        """Upper end of the next draw, seconds (without floor and Retry-After)."""
        try:
            grown = self._initial_secs * self._factor ** min(self._attempts, _MAX_EXPONENT)
        except OverflowError:
            return self._cap_secs
        return min(self._cap_secs, grown)

    def next_delay_secs(self, retry_after_secs: float | None = None) -> float:
        """Draw the next delay.

        Parameters
        ----------
        retry_after_secs : float, optional
            What the venue asked for. The jitter comes on top, never below: all clients were told the same time.

        Returns
        -------
        float
            Seconds to wait.
        """
        jitter = self._random.uniform(0.0, self.window_secs())
        self._attempts += 1
        return max(self._floor_secs, jitter + (retry_after_secs or 0.0))

    def lived(self, live_secs: float) -> None:
        """Tell of a live period that just ended; a long enough one starts the series anew."""
        if live_secs >= self._reset_after_secs:
            self._attempts = 0
