"""Keeping one private feed alive and complete. Knows no venue and no framework.

A stream's life:

- ``session``: `FeedSession`, the reconnecting session; ``stream``: what a venue tells it (`Stream`, `Handshake`)
- ``gate``, ``link``, ``resync``, ``dialer``, ``delivery``, ``tasks``: the session's parts
- ``health``: `FeedState`, `Health`, `HealthMonitor`; ``backoff``: delays; ``verdict``: fatal or transient
- ``recorder``, ``replayer``: raw frames on disk and back

REST:

- ``rest``: `RestClient`, `Signer`, `Response`; ``outcomes``: from an answer to `Accepted`, `Refused`, `Unknown`
- ``limits``: rate limits, cancels first; ``retry_after``: the header
- ``clock``: injected time; ``server_clock``: a venue's clock, estimated

``errors`` draws the tree of everything raised here.
"""
