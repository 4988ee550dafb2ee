"""What a BSX client is told by its configuration; plain, free of the framework."""

from decimal import Decimal
from enum import Enum, unique
from typing import Final

from msgspec import Struct

from nautilus_orderfeeds.feed.errors import FatalFeedError
from nautilus_orderfeeds.venues.bsx.words import VENUE
from nautilus_orderfeeds.venues.secrets import Secret as Secret


@unique
class BalanceSource(Enum):
    """Which of the venue's numbers is the account's total (protocol, 12.5)."""

    ACCOUNT_VALUE = "ACCOUNT_VALUE"
    """`total_account_value`; probably includes unrealised PnL."""
    USDC = "USDC"
    """`usdc_balance` + `unsettled_usdc`."""


@unique
class BsxEnvironment(Enum):
    """Which of the venue's installations."""

    LIVE = "live"
    TESTNET = "testnet"


_HTTP: Final = {
    BsxEnvironment.LIVE: "https://api.bsx.exchange",
    BsxEnvironment.TESTNET: "https://api.testnet.bsx.exchange",
}
_WS: Final = {
    BsxEnvironment.LIVE: "wss://ws.bsx.exchange/ws",
    BsxEnvironment.TESTNET: "wss://ws.testnet.bsx.exchange/ws",
}


def base_url_http(environment: BsxEnvironment) -> str:
    """Return the address of the REST interface (protocol, 1)."""
    return _HTTP[environment]


def base_url_ws(environment: BsxEnvironment) -> str:
    """Return the address of the WebSocket (protocol, 1)."""
    return _WS[environment]


class BsxSettings(Struct, frozen=True, kw_only=True):
    """Settings of one account.

    Parameters
    ----------
    base_url_http, base_url_ws : str
        Addresses of REST and WebSocket.
    api_key : str
        As registered; not secret by itself, but never logged.
    api_secret, signer_key : Secret
        Goes out with every REST request; signs orders (hex of 32 bytes).
    wallet_address : str
        The account's wallet; empty: taken from the venue's list of API keys.
    market_slippage : Decimal
        How far beyond the best opposite price a market order may fill, as a fraction of it.
    balance_source : BalanceSource
        What is the account's total.
    requests_per_sec : int
        Limit of REST requests; the venue's is not known.
    timeout_secs : float
        Limit of one REST request.
    env_prefix : str
        Of the environment variables that may hold the credentials, for messages.
    """

    base_url_http: str = _HTTP[BsxEnvironment.LIVE]
    base_url_ws: str = _WS[BsxEnvironment.LIVE]
    api_key: str = ""
    api_secret: Secret = Secret("")
    signer_key: Secret = Secret("")
    wallet_address: str = ""
    market_slippage: Decimal = Decimal("0.01")
    balance_source: BalanceSource = BalanceSource.ACCOUNT_VALUE
    requests_per_sec: int = 10
    timeout_secs: float = 10.0
    env_prefix: str = f"{VENUE}_"

    def __post_init__(self) -> None:
        if not 0 <= self.market_slippage < 1:
            raise ValueError(f"market_slippage {self.market_slippage} is not a fraction between 0 and 1")
        if self.requests_per_sec < 1:
            raise ValueError(f"requests_per_sec {self.requests_per_sec} must be at least 1")

    def __repr__(self) -> str:
        return f"BsxSettings({self.base_url_http}, {self.base_url_ws})"

    def variable(self, name: str) -> str:
        """Return the environment variable that may hold the setting `name`."""
        return f"{self.env_prefix}{name.upper()}"

    def require_credentials(self) -> None:
        """Check that everything needed to trade was given.

        Raises
        ------
        FatalFeedError
            Naming what is missing and the environment variable that may hold it.
        """
        missing = [
            f"{name} (or {self.variable(name)} in the environment)"
            for name, value in (
                ("api_key", self.api_key),
                ("api_secret", self.api_secret),
                ("signer_key", self.signer_key),
            )
            if not value
        ]
        if missing:
            raise FatalFeedError(f"{VENUE}: missing {', '.join(missing)}")
