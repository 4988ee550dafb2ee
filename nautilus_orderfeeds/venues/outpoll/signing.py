"""Signatures of REST requests and of the streams' AUTH message (protocol, 4)."""

import base64
import binascii
import hashlib
import hmac
from typing import Final

from nautilus_orderfeeds.feed.errors import FatalFeedError
from nautilus_orderfeeds.venues.outpoll.words import VENUE
from nautilus_orderfeeds.venues.secrets import Secret

#: The venue's clock and ours differ by no more, or no request would be accepted (protocol, 4.1).
CLOCKS_SECS: Final = 30.0
CLOCKS_NS: Final = int(CLOCKS_SECS * 1e9)


class Signer:
    """Signs with one API key.

    Parameters
    ----------
    api_key : str
        As registered.
    api_secret : Secret
        Base64url or base64 text, padded or not; used exactly as given.

    Raises
    ------
    FatalFeedError
        If the secret is no base64 text. The message does not show it.
    """

    def __init__(self, api_key: str, api_secret: Secret) -> None:
        self._api_key = api_key
        self._secret = Secret(api_secret.reveal())
        decode_secret(api_secret)

    def signature(self, timestamp: str, method: str, path: str, body: bytes = b"") -> str:
        """Return base64url(HMAC-SHA256(secret, timestamp + METHOD + path + body)) without padding.

        Parameters
        ----------
        timestamp : str
            UNIX seconds.
        method : str
            In upper case; ``"GET"`` for a stream.
        path : str
            Exactly as sent, without the query.
        body : bytes
            Exactly as sent.
        """
        message = timestamp.encode() + method.encode() + path.encode() + body
        digest = hmac.new(decode_secret(self._secret), message, hashlib.sha256).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()

    def headers(self, timestamp: str, method: str, path: str, body: bytes) -> dict[str, str]:
        """Return the headers of a REST request (protocol, 4.2)."""
        return {
            "OUTPOLL-API-KEY": self._api_key,
            "OUTPOLL-API-SIGNATURE": self.signature(timestamp, method, path, body),
            "OUTPOLL-API-TIMESTAMP": timestamp,
        }

    def auth_message(self, timestamp: str, path: str) -> dict[str, object]:
        """Return the first message on a private stream (protocol, 4.4)."""
        data = {"apiKey": self._api_key, "signature": self.signature(timestamp, "GET", path), "timestamp": timestamp}
        return {"t": "AUTH", "d": data}

    def __repr__(self) -> str:
        return "Signer(***)"


def decode_secret(secret: Secret) -> bytes:
    """Return the key's bytes: both alphabets are accepted, and missing padding is added (protocol, 4.1).

    Raises
    ------
    FatalFeedError
        If it is no base64 text.
    """
    text = secret.reveal().strip().rstrip("=").replace("+", "-").replace("/", "_")
    try:
        if not text:
            raise ValueError
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (ValueError, binascii.Error):
        raise FatalFeedError(
            f"{VENUE}: api_secret is not base64url text; give it exactly as the venue shows it"
        ) from None
