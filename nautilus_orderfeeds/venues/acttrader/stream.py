"""The clearing service's WebSocket: commands and their answers, and executions nobody asked for (protocol, 3).

No login and no subscription are documented. A broker may want a header, a token in the URL, or a first message.
"""

from collections.abc import Callable

from nautilus_orderfeeds.feed.stream import Handshake, Stream
from nautilus_orderfeeds.venues.acttrader.settings import ActTraderSettings
from nautilus_orderfeeds.venues.acttrader.words import VENUE


class OrderStream(Stream):
    """The stream of one login.

    Parameters
    ----------
    settings : ActTraderSettings
        Address and whatever is to be shown at the door.
    on_auth : Callable[[], None]
        Called when the first message was sent: its answer, if there is one, is of no documented form.
    on_end : Callable[[], None]
        Called when a connection has ended.
    """

    name = f"{VENUE} orders"

    def __init__(self, settings: ActTraderSettings, on_auth: Callable[[], None], on_end: Callable[[], None]) -> None:
        self._settings = settings
        self._on_auth = on_auth
        self._on_end = on_end

    def url(self) -> str:
        """Return the WebSocket's address."""
        return self._settings.base_url_ws

    def headers(self) -> dict[str, str]:
        """Return the configured headers."""
        return {name: value.reveal() for name, value in self._settings.auth_headers.items()}

    async def handshake(self, conn: Handshake) -> None:
        """Send the first message, if one is configured; the list of orders, asked for next, shows whether it served."""
        message = self._settings.auth_message
        if message:
            self._on_auth()
            await conn.send(message.reveal())

    def recordable(self, frame: bytes) -> bool:
        """Whether the frame is anything but the first message."""
        return frame != self._settings.auth_message.reveal().encode()

    def ended(self) -> None:
        """Tell that no answer will come any more."""
        self._on_end()
