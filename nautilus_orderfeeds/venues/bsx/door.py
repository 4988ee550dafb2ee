"""The door of BSX: the only file of this folder that knows the framework. Import its names from the folder."""

from decimal import Decimal
from typing import ClassVar, Final, Literal

from msgspec import structs
from nautilus_trader.model.enums import AccountType
from nautilus_trader.model.identifiers import ClientId, Venue

from nautilus_orderfeeds.adapter.config import OrderFeedDataClientConfig, OrderFeedExecClientConfig
from nautilus_orderfeeds.adapter.credentials import credential, env_name
from nautilus_orderfeeds.adapter.door import Door
from nautilus_orderfeeds.adapter.factories import OrderFeedLiveDataClientFactory, OrderFeedLiveExecClientFactory
from nautilus_orderfeeds.venues.bsx.capabilities import CAPABILITIES
from nautilus_orderfeeds.venues.bsx.market import BsxMarketFeed
from nautilus_orderfeeds.venues.bsx.settings import ADDRESSES, BalanceSource, BsxEnvironment, BsxSettings
from nautilus_orderfeeds.venues.bsx.venue import BsxVenue
from nautilus_orderfeeds.venues.secrets import Secret

BSX: Final = "BSX"
BSX_VENUE: Final = Venue(BSX)
BSX_CLIENT_ID: Final = ClientId(BSX)


class BsxDataClientConfig(OrderFeedDataClientConfig, frozen=True):
    """Configuration of a BSX data client.

    Parameters
    ----------
    environment : {"live", "testnet"}
        Installation to connect to.
    api_key, api_secret : str, optional
        Needed for the history of funding rates only; sourced as in `BsxExecClientConfig`.
    requests_per_sec : int
        Limit of REST requests of this process; the venue's own is not known.
    """

    SECRETS: ClassVar[frozenset[str]] = frozenset({"api_key", "api_secret"})

    environment: Literal["live", "testnet"] = "live"
    api_key: str | None = None
    api_secret: str | None = None
    requests_per_sec: int = 10


class BsxExecClientConfig(OrderFeedExecClientConfig, frozen=True):
    """Configuration of a BSX execution client.

    Parameters
    ----------
    environment : {"live", "testnet"}
        Installation to connect to.
    api_key, api_secret : str, optional
        If None, sourced from ``BSX_API_KEY`` and ``BSX_API_SECRET`` (``BSX_TESTNET_...`` for the testnet).
    wallet_address : str, optional
        The account's wallet; if None, from ``BSX_WALLET_ADDRESS``, else from the venue's list of API keys.
    signer_key : str, optional
        Private key that signs orders, hex of 32 bytes; if None, from ``BSX_SIGNER_KEY``.
    market_slippage : Decimal
        How far beyond the best opposite price a market order may fill, as a fraction of it.
    balance_source : {"ACCOUNT_VALUE", "USDC"}
        Which of the venue's numbers is the account's total.
    requests_per_sec : int
        Limit of REST requests of this account; the venue's own is not known.
    """

    SECRETS: ClassVar[frozenset[str]] = frozenset({"api_key", "api_secret", "signer_key"})

    environment: Literal["live", "testnet"] = "live"
    api_key: str | None = None
    api_secret: str | None = None
    wallet_address: str | None = None
    signer_key: str | None = None
    market_slippage: Decimal = Decimal("0.01")
    balance_source: Literal["ACCOUNT_VALUE", "USDC"] = "ACCOUNT_VALUE"
    requests_per_sec: int = 10


def _settings(config: BsxDataClientConfig | BsxExecClientConfig) -> BsxSettings:
    """Return the settings that execution and data have in common."""
    addresses = ADDRESSES[BsxEnvironment(config.environment)]
    return BsxSettings(
        base_url_http=config.base_url_http or addresses.http,
        base_url_ws=config.base_url_ws or addresses.ws,
        api_key=credential(config.api_key, BSX, "api_key", config.environment),
        api_secret=Secret(credential(config.api_secret, BSX, "api_secret", config.environment)),
        requests_per_sec=config.requests_per_sec,
        env_prefix=env_name(BSX, "", config.environment),
    )


def _make_venue(config: BsxExecClientConfig) -> BsxVenue:
    settings = structs.replace(
        _settings(config),
        signer_key=Secret(credential(config.signer_key, BSX, "signer_key", config.environment)),
        wallet_address=credential(config.wallet_address, BSX, "wallet_address", config.environment),
        market_slippage=config.market_slippage,
        balance_source=BalanceSource(config.balance_source),
        timeout_secs=config.request_timeout_secs,
    )
    return BsxVenue(settings)


def _make_market(config: BsxDataClientConfig) -> BsxMarketFeed:
    return BsxMarketFeed(_settings(config))


DOOR: Final = Door(
    name=BSX,
    account_type=AccountType.MARGIN,
    base_currency="USDC",
    make_venue=_make_venue,
    make_market=_make_market,
    capabilities=CAPABILITIES,
    environments=("live", "testnet"),
)


class BsxLiveDataClientFactory(OrderFeedLiveDataClientFactory):
    """Makes BSX data clients."""

    __name__ = "BsxLiveDataClientFactory"
    door = DOOR


class BsxLiveExecClientFactory(OrderFeedLiveExecClientFactory):
    """Makes BSX execution clients."""

    __name__ = "BsxLiveExecClientFactory"
    door = DOOR


__all__ = [
    "BSX",
    "BSX_CLIENT_ID",
    "BSX_VENUE",
    "DOOR",
    "BsxDataClientConfig",
    "BsxExecClientConfig",
    "BsxLiveDataClientFactory",
    "BsxLiveExecClientFactory",
]
