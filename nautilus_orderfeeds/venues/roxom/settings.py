"""What a Roxom client is told by its configuration; plain, free of the framework."""

from decimal import Decimal
from enum import Enum, unique
from typing import ClassVar, Final

from nautilus_orderfeeds.venues.roxom.words import VENUE
from nautilus_orderfeeds.venues.secrets import Secret
from nautilus_orderfeeds.venues.settings import AccountSettings

BASE_URL_HTTP: Final = "https://api.roxom.com"
BASE_URL_WS: Final = "wss://ws.roxom.com/ws"


@unique
class DepthReading(Enum):
    """How the book is read; what the quantities of depth deltas mean is not documented (protocol, 5.5)."""

    LEVEL1 = "level1"
    """No book is built from deltas: each best bid and ask is a book of one level (the protocol's safe default)."""
    SIGNED = "signed"
    """Deltas are changes: new size = old + delta, removed at zero or below (fits the documented sample)."""
    ABSOLUTE = "absolute"
    """Deltas are new sizes, zero or below removes the level."""


@unique
class FeesReading(Enum):
    """What `filledFees` of an order event says (protocol, 5.3 and 9)."""

    CUMULATIVE = "cumulative"
    """Everything charged for the order so far; if it ever falls, that order is read as PER_FILL from then on."""
    PER_FILL = "per_fill"
    """What the latest fill cost."""


class RoxomSettings(AccountSettings, frozen=True, kw_only=True):
    """Settings of one account, besides those of `AccountSettings`.

    Parameters
    ----------
    path_prefix : str
        Before every REST path: ``/v1``, or ``/api/v1`` as in the older documentation.
    api_key : str
        Id of the key; not secret by itself, but never logged.
    private_key : Secret
        RSA key in PEM form; signs requests.
    api_secret : Secret
        Of the older scheme, used if there is no `private_key`.
    signature_header : str
        Header of the older scheme's signature; three names are documented.
    send_client_order_id : bool
        Send the framework's client order id along; no page lists it among the fields of a new order.
    fees_reading : FeesReading
        Meaning of `filledFees`.
    depth_reading : DepthReading
        Meaning of depth deltas.
    maker_fee, taker_fee : Decimal, optional
        Fractions of the notional, for events without fees; None: of the instrument.
    clock_tolerance_secs, match_window_secs : float
        An order whose create was not answered is looked for among those created from so long before it was sent to so
        long after.
    absent_after_secs : float
        After so long an order that was never found counts as never received; 0: never, since the venue has no rule
        that would make it certain.
    requests_per_sec : int
        Limit of REST requests; the venue's is not known.
    """

    venue: ClassVar[str] = VENUE

    base_url_http: str = BASE_URL_HTTP
    base_url_ws: str = BASE_URL_WS
    env_prefix: str = f"{VENUE}_"
    path_prefix: str = "/v1"
    api_key: str = ""
    private_key: Secret = Secret("")
    api_secret: Secret = Secret("")
    signature_header: str = "X-API-SIGN"
    send_client_order_id: bool = False
    fees_reading: FeesReading = FeesReading.CUMULATIVE
    depth_reading: DepthReading = DepthReading.LEVEL1
    maker_fee: Decimal | None = None
    taker_fee: Decimal | None = None
    clock_tolerance_secs: float = 5.0
    match_window_secs: float = 20.0
    absent_after_secs: float = 0.0
    requests_per_sec: int = 10

    def __post_init__(self) -> None:
        if self.requests_per_sec < 1:
            raise ValueError(f"requests_per_sec {self.requests_per_sec} must be at least 1")
        if self.path_prefix and (not self.path_prefix.startswith("/") or self.path_prefix.endswith("/")):
            raise ValueError(f"path_prefix {self.path_prefix!r} must begin with a slash and not end with one")
        if min(self.clock_tolerance_secs, self.match_window_secs, self.absent_after_secs) < 0:
            raise ValueError("clock_tolerance_secs, match_window_secs and absent_after_secs must not be negative")

    def __repr__(self) -> str:
        return f"RoxomSettings({self.base_url_http}{self.path_prefix}, {self.base_url_ws})"

    def require_credentials(self) -> None:
        """Check that everything needed to trade was given; raises `FatalFeedError` naming what is missing."""
        also = []
        if not self.private_key and not self.api_secret:
            variable = self.variable("private_key")
            also.append(f"private_key (or {variable} in the environment; the older scheme takes api_secret)")
        self.require("api_key", also=also)
