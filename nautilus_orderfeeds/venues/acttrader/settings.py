"""What an ActTrader client is told by its configuration; plain, free of the framework."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final
from urllib.parse import urlsplit

from msgspec import Struct

from nautilus_orderfeeds.feed.errors import FatalFeedError
from nautilus_orderfeeds.venues.acttrader.words import VENUE, Dialect
from nautilus_orderfeeds.venues.secrets import Secret

_SCHEMES: Final = ("ws", "wss")


def check_url(url: str) -> None:
    """Check the address of a WebSocket. It is not shown: it may carry a token.

    Raises
    ------
    FatalFeedError
        If it is missing, or none.
    """
    if not url:
        raise FatalFeedError(
            f"{VENUE}: base_url_ws is missing (or {VENUE}_BASE_URL_WS in the environment): the venue publishes no "
            "address, so there is no default"
        )
    try:
        parts = urlsplit(url)
        is_url = parts.scheme in _SCHEMES and bool(parts.hostname)
    except ValueError:
        is_url = False
    if not is_url:
        raise FatalFeedError(f"{VENUE}: base_url_ws is no ws:// or wss:// URL")


class ActTraderSettings(Struct, frozen=True, kw_only=True):
    """Settings of one login.

    Parameters
    ----------
    base_url_ws : str
        Address of the clearing service, with a token in its query if the broker wants one.
    dialect : Dialect
        In which requests are written.
    login : str
        The broker's name of the account; a whole number in the final dialect.
    auth_headers : Mapping[str, Secret]
        Headers of the upgrade request.
    auth_message : Secret
        First frame of each connection; empty for none.
    aon_for_gtc : bool
        Whether orders that rest may be made all-or-none, where the dialect has no other word for resting.
    draft_gtc : bool
        Whether the draft's requests may say GTC: its page shows the word in answers only.
    sole_login : bool
        Whether the server tells this connection of `login`'s orders only. No message says whose order it is about, so
        otherwise only orders of this client can be known for the login's own.
    lookback_mins : float
        How far back ended orders are listed at each resynchronisation (final dialect).
    requests_per_sec : int
        Limit of requests; the venue's own is not known.
    timeout_secs : float
        How long an answer is waited for.
    """

    base_url_ws: str = ""
    dialect: Dialect = Dialect.DRAFT
    login: str = ""
    auth_headers: Mapping[str, Secret] = {}
    auth_message: Secret = Secret("")
    aon_for_gtc: bool = False
    draft_gtc: bool = True
    sole_login: bool = False
    lookback_mins: float = 1440.0
    requests_per_sec: int = 10
    timeout_secs: float = 10.0

    def __post_init__(self) -> None:
        if self.requests_per_sec < 1:
            raise ValueError(f"requests_per_sec {self.requests_per_sec} must be at least 1")
        if self.lookback_mins <= 0:
            raise ValueError(f"lookback_mins {self.lookback_mins} must be positive")

    def __repr__(self) -> str:
        return f"ActTraderSettings({self.dialect.value}, login {self.login!r})"

    @property
    def wire_login(self) -> str | int:
        """`login` as the dialect writes it."""
        return int(self.login) if self.dialect is Dialect.FINAL else self.login

    def check(self) -> None:
        """Check that everything needed to trade was given.

        Raises
        ------
        FatalFeedError
            Saying what is missing or wrong, and what to do.
        """
        check_url(self.base_url_ws)
        if not self.login:
            raise FatalFeedError(f"{VENUE}: login is missing (or {VENUE}_LOGIN in the environment)")
        if self.dialect is Dialect.FINAL and not (self.login.isascii() and self.login.isdecimal()):
            raise FatalFeedError(f"{VENUE}: login must be a whole number in the final dialect")


class TickerSettings(Struct, frozen=True, kw_only=True):
    """Settings of the companion price stream (protocol, 9).

    Parameters
    ----------
    base_url_ws : str
        Its address, with a token in the query if it wants one.
    quote_size : Decimal, optional
        Size to put on quotes, base units, since the stream tells none; None: the instrument's size increment.
    """

    base_url_ws: str = ""
    quote_size: Decimal | None = None

    def __repr__(self) -> str:
        return "TickerSettings()"
