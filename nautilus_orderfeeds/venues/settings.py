"""What the settings of every account with a key and two addresses have in common; plain, free of the framework."""

from collections.abc import Sequence
from typing import ClassVar

from msgspec import Struct

from nautilus_orderfeeds.feed.errors import FatalFeedError


class Addresses(Struct, frozen=True):
    """Where one installation of a venue is: base URLs of REST and WebSocket."""

    http: str
    ws: str


class AccountSettings(Struct, frozen=True, kw_only=True):
    """Settings of one account; a venue's own add what its page knows.

    Parameters
    ----------
    base_url_http, base_url_ws : str
        Addresses of REST and WebSocket.
    timeout_secs : float
        Limit of one REST request.
    env_prefix : str
        Of the environment variables that may hold the credentials, for messages (``"BSX_TESTNET_"``).
    """

    #: The venue's name, which begins every message.
    venue: ClassVar[str]

    base_url_http: str
    base_url_ws: str
    timeout_secs: float = 10.0
    env_prefix: str

    def __repr__(self) -> str:
        # Never the fields as they are: some are credentials.
        return f"{type(self).__name__}({self.base_url_http}, {self.base_url_ws})"

    def variable(self, name: str) -> str:
        """Return the environment variable that may hold the setting `name`."""
        return f"{self.env_prefix}{name.upper()}"

    def require(self, *names: str, also: Sequence[str] = ()) -> None:
        """Check that settings were given.

        Parameters
        ----------
        *names : str
            Fields that must not be empty.
        also : Sequence[str]
            What else is missing, in words.

        Raises
        ------
        FatalFeedError
            Naming what is missing and the environment variable that may hold it.
        """
        missing = [f"{name} (or {self.variable(name)} in the environment)" for name in names if not getattr(self, name)]
        missing += also
        if missing:
            raise FatalFeedError(f"{self.venue}: missing {', '.join(missing)}")
