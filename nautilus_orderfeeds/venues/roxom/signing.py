"""Who we are: headers of requests and of the WebSocket's upgrade (protocol, 2).

The venue's present scheme signs each request with an RSA key. The scheme of the venue page signs a timestamp with a
shared secret; it is the older one, and used only if there is no RSA key.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Protocol

import msgspec
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from nautilus_orderfeeds.feed.clock import Clock
from nautilus_orderfeeds.feed.errors import FatalFeedError
from nautilus_orderfeeds.venues.roxom.settings import RoxomSettings
from nautilus_orderfeeds.venues.roxom.words import VENUE
from nautilus_orderfeeds.venues.secrets import Secret

#: What the upgrade of the WebSocket signs, whatever its address (protocol, 2.1).
HANDSHAKE_PAYLOAD: Final = "GET:/ws"

_PEM: Final = "-----BEGIN "
_JSON: Final = "application/json"


class Authenticator(Protocol):
    """Makes the headers that prove whose request it is."""

    def request(self, method: str, path: str, query: str, body: bytes) -> Mapping[str, str]:
        """Return the headers of a REST request; arguments as of `feed.rest.Signer`."""
        ...

    def upgrade(self) -> dict[str, str]:
        """Return the headers of the WebSocket's upgrade."""
        ...


class RsaAuthenticator:
    """The present scheme: RSA over method, path and parameters (protocol, 2.1).

    Parameters
    ----------
    api_key : str
        Id of the key.
    private_key : RSAPrivateKey
        The key.
    """

    def __init__(self, api_key: str, private_key: RSAPrivateKey) -> None:
        self._api_key = api_key
        self._private_key = private_key

    def request(self, method: str, path: str, query: str, body: bytes) -> Mapping[str, str]:
        """Return the headers of a REST request."""
        return {**self._headers(payload(method, path, query, body)), "Content-Type": _JSON, "Accept": _JSON}

    def upgrade(self) -> dict[str, str]:
        """Return the headers of the WebSocket's upgrade."""
        return self._headers(HANDSHAKE_PAYLOAD)

    def _headers(self, text: str) -> dict[str, str]:
        return {"X-API-Key": self._api_key, "X-API-Signature": sign(self._private_key, text)}


class LegacyAuthenticator:
    """The older scheme: HMAC over a timestamp, as on the venue page (protocol, 2.2).

    Parameters
    ----------
    api_key : str
        Id of the key.
    api_secret : Secret
        The shared secret.
    header : str
        Name of the signature's header.
    clock : Clock
        Stamps each request.
    """

    def __init__(self, api_key: str, api_secret: Secret, header: str, clock: Clock) -> None:
        self._api_key = api_key
        self._api_secret = api_secret
        self._header = header
        self._clock = clock

    def request(self, method: str, path: str, query: str, body: bytes) -> Mapping[str, str]:
        """Return the headers of a REST request."""
        return {**self.upgrade(), "Content-Type": _JSON, "Accept": _JSON}

    def upgrade(self) -> dict[str, str]:
        """Return the headers of the WebSocket's upgrade."""
        timestamp = str(self._clock.time_ns() // 1_000_000)
        signature = timestamp_signature(self._api_secret.reveal(), timestamp)
        return {"X-API-KEY": self._api_key, "X-API-TIMESTAMP": timestamp, self._header: signature}


class Anonymous:
    """No credentials: for market data, where the documents disagree on whether any are needed."""

    def request(self, method: str, path: str, query: str, body: bytes) -> Mapping[str, str]:
        """Return no proof."""
        return {"Accept": _JSON}

    def upgrade(self) -> dict[str, str]:
        """Return no headers."""
        return {}


def authenticator(settings: RoxomSettings, clock: Clock) -> Authenticator:
    """Return what signs for `settings`: RSA, else the older scheme, else nothing.

    Raises
    ------
    FatalFeedError
        If the private key cannot be read.
    """
    if settings.api_key and settings.private_key:
        key = load_key(settings.private_key, settings.variable("private_key"))
        return RsaAuthenticator(settings.api_key, key)
    if settings.api_key and settings.api_secret:
        return LegacyAuthenticator(settings.api_key, settings.api_secret, settings.signature_header, clock)
    return Anonymous()


def load_key(pem_or_path: Secret, variable: str) -> RSAPrivateKey:
    r"""Return the RSA key.

    Parameters
    ----------
    pem_or_path : Secret
        PEM text (line ends may be written as ``\n``, as in environment variables) or the path of a file with it.
    variable : str
        Environment variable, for messages.

    Raises
    ------
    FatalFeedError
        If it is neither, or no unencrypted RSA key.
    """
    text = pem_or_path.reveal().strip()
    if not text.startswith(_PEM):
        try:
            text = Path(text).expanduser().read_text("ascii").strip()
        except (OSError, ValueError) as exc:
            # The text itself may be a mangled key: it is not shown.
            raise FatalFeedError(
                f"{VENUE}: private_key (or {variable}) is neither PEM text nor the path of a readable file "
                f"({type(exc).__name__})"
            ) from None
    try:
        key = load_pem_private_key(text.replace("\\n", "\n").encode(), password=None)
    except Exception as exc:
        raise FatalFeedError(f"{VENUE}: private_key (or {variable}) is no PEM key ({type(exc).__name__})") from None
    if not isinstance(key, RSAPrivateKey):
        raise FatalFeedError(f"{VENUE}: private_key (or {variable}) is no RSA key")
    return key


def payload(method: str, path: str, query: str = "", body: bytes = b"") -> str:
    """Return what a request signs: ``METHOD:PATH?QUERY[:sorted body]``; the query exactly as sent.

    Examples
    --------
    >>> payload("POST", "/v1/orders", body=b'{"side":"buy","qty":"1.00","postOnly":true,"px":null}')
    'POST:/v1/orders:postOnly=true&qty=1.00&side=buy'
    """
    text = f"{method.upper()}:{path}" + (f"?{query}" if query else "")
    pairs = _pairs(body) if body else ""
    return f"{text}:{pairs}" if pairs else text


def sign(private_key: RSAPrivateKey, text: str) -> str:
    """Return the RSA signature (PKCS#1 v1.5, SHA-256) of `text`, base64."""
    return base64.b64encode(private_key.sign(text.encode(), PKCS1v15(), hashes.SHA256())).decode()


def timestamp_signature(api_secret: str, timestamp: str) -> str:
    """Return the older scheme's signature: HMAC-SHA256 of the timestamp (ms, as text), base64."""
    return base64.b64encode(hmac.new(api_secret.encode(), timestamp.encode(), hashlib.sha256).digest()).decode()


def _pairs(body: bytes) -> str:
    """Write a flat JSON body as ``key=value`` pairs, sorted by key; text without quotes, other values as in JSON."""
    values = msgspec.json.decode(body, type=dict[str, str | bool | int | None])
    told = {key: value for key, value in values.items() if value is not None}
    return "&".join(f"{key}={_text(told[key])}" for key in sorted(told))


def _text(value: str | bool | int) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
