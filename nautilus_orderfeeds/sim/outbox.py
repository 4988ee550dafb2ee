"""What a simulated venue tells unasked, beside the answers that it gives: at once, after an answer, or never."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager
from enum import Enum, unique

from nautilus_orderfeeds.sim.server import Answer


@unique
class StreamOrder(Enum):
    """When the messages that a REST call causes come: before its answer, after it, or not at all."""

    BEFORE_ANSWER = "before"
    AFTER_ANSWER = "after"
    WITHOUT = "without"


class Outbox[Key: Hashable, Message]:
    """
    Sends messages at once, or keeps them back while somebody asks for that.

    Parameters
    ----------
    send : Callable[[Key, Message], None]
        Sends a message to whoever listens to `Key`: an account, or a channel of one.
    """

    def __init__(self, send: Callable[[Key, Message], None]) -> None:
        self._send = send
        self._holds: Counter[Key] = Counter()
        self._mutes: Counter[Key] = Counter()
        self._waiting: list[tuple[Key, Message]] = []

    def post(self, key: Key, message: Message) -> None:
        """Send a message, or do with it what holds and mutes ask for."""
        if not self._mutes[key]:
            self._pass_on(key, message)

    @contextmanager
    def muted(self, *keys: Key) -> Iterator[None]:
        """Send nothing of `keys` meanwhile, as if the venue had forgotten to."""
        self._mutes.update(keys)
        try:
            yield
        finally:
            self._mutes.subtract(keys)

    def hold(self, *keys: Key) -> Callable[[], None]:
        """
        Keep the messages of `keys` back until the returned function is called (once more is no error).

        Several holds may overlap; a message goes when the last one of its key ends.
        """
        self._holds.update(keys)
        is_over = False

        def release() -> None:
            nonlocal is_over
            if is_over:
                return
            is_over = True
            self._holds.subtract(keys)
            waiting, self._waiting = self._waiting, []
            for key, message in waiting:
                self._pass_on(key, message)

        return release

    def answered(self, when: Mapping[Key, StreamOrder], work: Callable[[], Answer]) -> Answer:
        """Do what a call asks for; the messages that this causes come as `when` says, seen from its answer."""
        release = self.hold(*(key for key, order in when.items() if order is StreamOrder.AFTER_ANSWER))
        try:
            with self.muted(*(key for key, order in when.items() if order is StreamOrder.WITHOUT)):
                answer = work()
        except BaseException:
            release()
            raise
        answer.after = release
        return answer

    def _pass_on(self, key: Key, message: Message) -> None:
        if self._holds[key]:
            self._waiting.append((key, message))
        else:
            self._send(key, message)
