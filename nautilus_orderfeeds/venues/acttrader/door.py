"""The door of ActTrader: the only file of this folder that knows the framework. Import its names from the folder."""

import os
from decimal import Decimal
from typing import ClassVar, Final, Literal

import msgspec
from nautilus_trader.model.enums import AccountType
from nautilus_trader.model.identifiers import ClientId, Venue

from nautilus_orderfeeds.adapter.config import OrderFeedDataClientConfig, OrderFeedExecClientConfig
from nautilus_orderfeeds.adapter.credentials import credential, env_name
from nautilus_orderfeeds.adapter.door import Door
from nautilus_orderfeeds.adapter.factories import OrderFeedLiveDataClientFactory, OrderFeedLiveExecClientFactory
from nautilus_orderfeeds.feed.errors import FatalFeedError
from nautilus_orderfeeds.venues.acttrader.capabilities import CAPABILITIES
from nautilus_orderfeeds.venues.acttrader.market import ActTraderMarketFeed
from nautilus_orderfeeds.venues.acttrader.settings import ActTraderSettings, TickerSettings
from nautilus_orderfeeds.venues.acttrader.venue import ActTraderVenue
from nautilus_orderfeeds.venues.acttrader.words import Dialect
from nautilus_orderfeeds.venues.secrets import Secret

ACTTRADER: Final = "ACTTRADER"
ACTTRADER_VENUE: Final = Venue(ACTTRADER)
ACTTRADER_CLIENT_ID: Final = ClientId(ACTTRADER)


class ActTraderDataClientConfig(OrderFeedDataClientConfig, frozen=True):
    """Configuration of an ActTrader data client: quotes of the companion price stream.

    Parameters
    ----------
    base_url_ws : str
        Address of that stream (required; it differs from the order stream's), with a token in its query if it wants
        one; if None, sourced from ``ACTTRADER_PRICES_BASE_URL_WS``.
    instruments : str
        File of instruments (required: the venue lists none).
    quote_size : Decimal, optional
        Size of quotes, base units, since the stream tells none; None: the instrument's size increment.
    """

    environment: Literal["live"] = "live"
    quote_size: Decimal | None = None


class ActTraderExecClientConfig(OrderFeedExecClientConfig, frozen=True):
    """Configuration of an ActTrader execution client: one for each login.

    Parameters
    ----------
    base_url_ws : str
        Address of the clearing service (required: the venue publishes none), with a token in its query if the broker
        wants one; if None, sourced from ``ACTTRADER_BASE_URL_WS``.
    dialect : {"draft", "final"}
        Which state of the venue's page the server speaks: its first publication, or its last revision.
    login : str or int
        The broker's name of the account, a whole number in the final dialect; if None, from ``ACTTRADER_LOGIN``.
    auth_headers : dict[str, str], optional
        Headers of the connection; if None, from ``ACTTRADER_AUTH_HEADERS`` (a JSON object).
    auth_message : str, optional
        First frame of each connection; if None, from ``ACTTRADER_AUTH_MESSAGE``.
    instruments : str
        File of instruments (required: the venue lists none).
    starting_balances : list[str]
        ``["100000 USD"]`` (required: the venue tells no balances).
    aon_for_gtc : bool
        Let orders that rest be all-or-none where the dialect has no other word for resting: GTC and GTD in the final
        dialect, OCO pairs and the children of brackets in both. False: they are denied, unless params ask for it.
    draft_gtc : bool
        Whether the draft's requests may say GTC (its page shows the word in answers only). False: denied.
    sole_login : bool
        Whether the server tells this connection of `login`'s orders only. No message says whose order it is about: if
        false, what is not known to be an order of this client is counted and ignored; if true, it is taken up as
        entered elsewhere.
    lookback_mins : float
        How far back ended orders are listed after each connection (final dialect).
    requests_per_sec : int
        Limit of requests; the venue's own is not known.
    """

    SECRETS: ClassVar[frozenset[str]] = frozenset({"auth_headers", "auth_message"})

    environment: Literal["live"] = "live"
    dialect: Literal["draft", "final"] = "draft"
    login: str | int | None = None
    auth_headers: dict[str, str] | None = None
    auth_message: str | None = None
    aon_for_gtc: bool = False
    draft_gtc: bool = True
    sole_login: bool = False
    lookback_mins: float = 1440.0
    requests_per_sec: int = 10


def _headers(configured: dict[str, str] | None, environment: str) -> dict[str, Secret]:
    headers = configured
    if headers is None:
        name = env_name(ACTTRADER, "auth_headers", environment)
        text = os.environ.get(name, "")
        try:
            headers = msgspec.json.decode(text, type=dict[str, str]) if text else {}
        except msgspec.MsgspecError:
            raise FatalFeedError(f"{ACTTRADER}: {name} is no JSON object of header names and values") from None
    return {name: Secret(value) for name, value in headers.items()}


def _make_venue(config: ActTraderExecClientConfig) -> ActTraderVenue:
    environment = config.environment
    login = None if config.login is None else str(config.login)
    settings = ActTraderSettings(
        base_url_ws=credential(config.base_url_ws, ACTTRADER, "base_url_ws", environment),
        dialect=Dialect(config.dialect),
        login=credential(login, ACTTRADER, "login", environment),
        auth_headers=_headers(config.auth_headers, environment),
        auth_message=Secret(credential(config.auth_message, ACTTRADER, "auth_message", environment)),
        aon_for_gtc=config.aon_for_gtc,
        draft_gtc=config.draft_gtc,
        sole_login=config.sole_login,
        lookback_mins=config.lookback_mins,
        requests_per_sec=config.requests_per_sec,
        timeout_secs=config.request_timeout_secs,
    )
    return ActTraderVenue(settings)


def _make_market(config: ActTraderDataClientConfig) -> ActTraderMarketFeed:
    url = credential(config.base_url_ws, ACTTRADER, "prices_base_url_ws", config.environment)
    return ActTraderMarketFeed(TickerSettings(base_url_ws=url, quote_size=config.quote_size))


DOOR: Final = Door(
    name=ACTTRADER,
    account_type=AccountType.MARGIN,
    make_venue=_make_venue,
    make_market=_make_market,
    capabilities=CAPABILITIES,
    calculates_balances=True,
)


class ActTraderLiveDataClientFactory(OrderFeedLiveDataClientFactory):
    """Makes ActTrader data clients."""

    __name__ = "ActTraderLiveDataClientFactory"
    door = DOOR


class ActTraderLiveExecClientFactory(OrderFeedLiveExecClientFactory):
    """Makes ActTrader execution clients."""

    __name__ = "ActTraderLiveExecClientFactory"
    door = DOOR


__all__ = [
    "ACTTRADER",
    "ACTTRADER_CLIENT_ID",
    "ACTTRADER_VENUE",
    "DOOR",
    "ActTraderDataClientConfig",
    "ActTraderExecClientConfig",
    "ActTraderLiveDataClientFactory",
    "ActTraderLiveExecClientFactory",
]
