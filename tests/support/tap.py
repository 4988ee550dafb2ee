"""What a case puts around an execution client: a tap on its private stream, and shares to sell."""

from collections.abc import Callable
from typing import Any


class Tap:
    """Stands between the private stream and the client: remembers frames about orders, or holds them back."""

    def __init__(self, client: Any, tells_orders: Callable[[bytes], bool]) -> None:
        self._take_in = client.handle_frame
        self._tells_orders = tells_orders
        self.seen: list[bytes] = []
        self.held: list[bytes] | None = None
        client.handle_frame = self._frame

    def _frame(self, raw: bytes) -> None:
        if not self._tells_orders(raw):
            self._take_in(raw)
            return
        self.seen.append(raw)
        if self.held is None:
            self._take_in(raw)
        else:
            self.held.append(raw)

    def hold(self) -> None:
        """Keep every frame that arrives from now on."""
        self.held = []

    def release(self, order: Callable[[list[bytes]], list[bytes]] = list) -> None:
        """Hand on what was held, in the sequence that `order` makes of it."""
        held, self.held = self.held or [], None
        for raw in order(held):
            self._take_in(raw)

    def deliver(self, *frames: bytes) -> None:
        """Deliver frames of the test's own."""
        for raw in frames:
            self._take_in(raw)


def endow_after_startup(client: Any, sim: Any, endow: Callable[[Any], None]) -> None:
    """Let it arrive after the startup reports and before any strategy runs: no position of the framework's has it."""
    report = client.generate_mass_status

    async def then_endow(*args: Any, **kwargs: Any) -> Any:
        status = await report(*args, **kwargs)
        endow(sim)
        return status

    client.generate_mass_status = then_endow
