"""Configuration common to every venue; a venue's door adds its credentials and settings."""

from typing import Any, ClassVar

import msgspec
from nautilus_trader.config import InstrumentProviderConfig, LiveDataClientConfig, LiveExecClientConfig


def _without_secrets(name: str, value: Any, secrets: frozenset[str]) -> Any:
    """Return what may be shown of a field: of a secret that it is set, of an address nothing that may be a token."""
    if name in secrets:
        return None if value is None else "<hidden>"
    if isinstance(value, str) and "://" in value:
        scheme, rest = value.split("://", 1)
        address, mark, query = rest.partition("?")
        host, slash, path = address.partition("/")
        return f"{scheme}://{host.rpartition('@')[2]}{slash}{path}{mark}{'<hidden>' if query else ''}"
    return value


def redacted_repr(config: Any, secrets: frozenset[str]) -> str:
    """Return a repr of `config` that tells which secrets are set and none of them."""
    shown = []
    for name in config.__struct_fields__:
        value = _without_secrets(name, getattr(config, name), secrets)
        shown.append(f"{name}={value!r}")
    return f"{type(config).__name__}({', '.join(shown)})"


class OrderFeedDataClientConfig(LiveDataClientConfig, frozen=True):
    """Configuration of an `OrderFeedDataClient`.

    Parameters
    ----------
    environment : str
        ``"live"`` or the name of the venue's test environment.
    base_url_http : str, optional
        Replaces all of the venue's REST hosts.
    base_url_ws : str, optional
        Replaces the stream URL.
    instruments : str, optional
        Path to a JSON list of instruments in the framework's dict form, loaded besides the venue's listing.
    stale_after_secs : float
        Silence before the feed is probed.
    record : str, optional
        Path of a recording of every frame of the public stream (``.jsonl``, ``.jsonl.gz`` or ``.jsonl.zst``).
    """

    SECRETS: ClassVar[frozenset[str]] = frozenset()

    instrument_provider: InstrumentProviderConfig = InstrumentProviderConfig(load_all=True)
    environment: str = "live"
    base_url_http: str | None = None
    base_url_ws: str | None = None
    instruments: str | None = None
    stale_after_secs: float = 30.0
    record: str | None = None

    def __repr__(self) -> str:
        return redacted_repr(self, self.SECRETS)

    __str__ = __repr__


class OrderFeedExecClientConfig(LiveExecClientConfig, frozen=True):
    """Configuration of an `OrderFeedExecutionClient`.

    Parameters
    ----------
    environment : str
        ``"live"`` or the name of the venue's test environment.
    base_url_http : str, optional
        Replaces all of the venue's REST hosts.
    base_url_ws : str, optional
        Replaces the stream URL.
    instruments : str, optional
        Path to a JSON list of instruments in the framework's dict form, loaded besides the venue's listing.
    account : str
        Makes the account id ``<client id>-<account>``.
    starting_balances : list[str], optional
        ``["100000 USD"]``, for a venue that reports no balances.
    journal : str, optional
        Path of the SQLite journal; None: in the user's state directory; ``":memory:"``: none on disk.
    journal_frame_days, journal_order_days : float
        How long raw frames, and closed orders with their events, are kept.
    restore_orders : bool
        After a restart without a cache database, give the strategies back the orders they had placed, from the
        journal. False: they come back as external (or claimed by `external_order_claims`).
    cancel_guessed : bool
        Cancel an order at the venue that the engine guessed to be over (in-flight timeout) and that turns out to be
        alive. False (default): it is logged as an error and followed, its fills are counted.
    settle_secs : float
        How long the venue's cumulative numbers wait for the trades that explain them before those are inferred.
    stale_after_secs : float
        Silence before the feed is probed.
    audit_interval_secs : float
        How often open orders are compared with the venue even if the stream is healthy; 0: never.
    account_poll_secs : float
        How often balances are read; 0: only after fills.
    request_timeout_secs : float
        Limit of every single call to the venue.
    start_timeout_secs : float
        How long connecting may take altogether.
    record : str, optional
        Path of a recording of every frame of the private streams (``.jsonl``, ``.jsonl.gz`` or ``.jsonl.zst``).
    """

    SECRETS: ClassVar[frozenset[str]] = frozenset()

    instrument_provider: InstrumentProviderConfig = InstrumentProviderConfig(load_all=True)
    environment: str = "live"
    base_url_http: str | None = None
    base_url_ws: str | None = None
    instruments: str | None = None
    account: str = "001"
    starting_balances: list[str] | None = None
    journal: str | None = None
    journal_frame_days: float = 7.0
    journal_order_days: float = 90.0
    restore_orders: bool = True
    cancel_guessed: bool = False
    settle_secs: float = 1.0
    stale_after_secs: float = 30.0
    audit_interval_secs: float = 30.0
    account_poll_secs: float = 30.0
    request_timeout_secs: float = 10.0
    start_timeout_secs: float = 30.0
    record: str | None = None

    def __repr__(self) -> str:
        return redacted_repr(self, self.SECRETS)

    __str__ = __repr__


def json_safe(config: Any) -> dict[str, Any]:
    """Return the fields of `config` as plain values with secrets hidden (for logs and `orderfeeds check`)."""
    fields = msgspec.to_builtins({name: getattr(config, name) for name in config.__struct_fields__}, enc_hook=str)
    return {name: _without_secrets(name, value, config.SECRETS) for name, value in dict(fields).items()}
