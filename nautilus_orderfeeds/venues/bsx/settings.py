"""What a BSX client is told by its configuration; plain, free of the framework."""

from decimal import Decimal
from enum import Enum, unique
from typing import ClassVar, Final

from nautilus_orderfeeds.venues.bsx.words import VENUE
from nautilus_orderfeeds.venues.secrets import Secret as Secret
from nautilus_orderfeeds.venues.settings import AccountSettings, Addresses


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


#: Where each of them is (protocol, 1).
ADDRESSES: Final = {
    BsxEnvironment.LIVE: Addresses("https://api.bsx.exchange", "wss://ws.bsx.exchange/ws"),
    BsxEnvironment.TESTNET: Addresses("https://api.testnet.bsx.exchange", "wss://ws.testnet.bsx.exchange/ws"),
}


class BsxSettings(AccountSettings, frozen=True, kw_only=True):
    """Settings of one account, besides those of `AccountSettings`.

    Parameters
    ----------
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
    """

    venue: ClassVar[str] = VENUE

    base_url_http: str = ADDRESSES[BsxEnvironment.LIVE].http
    base_url_ws: str = ADDRESSES[BsxEnvironment.LIVE].ws
    env_prefix: str = f"{VENUE}_"
    api_key: str = ""
    api_secret: Secret = Secret("")
    signer_key: Secret = Secret("")
    wallet_address: str = ""
    market_slippage: Decimal = Decimal("0.01")
    balance_source: BalanceSource = BalanceSource.ACCOUNT_VALUE
    requests_per_sec: int = 10

    def __post_init__(self) -> None:
        if not 0 <= self.market_slippage < 1:
            raise ValueError(f"market_slippage {self.market_slippage} is not a fraction between 0 and 1")
        if self.requests_per_sec < 1:
            raise ValueError(f"requests_per_sec {self.requests_per_sec} must be at least 1")

    def require_credentials(self) -> None:
        """Check that everything needed to trade was given; raises `FatalFeedError` naming what is missing."""
        self.require("api_key", "api_secret", "signer_key")
