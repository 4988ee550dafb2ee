"""ActTrader: FX and crypto orders over a WebSocket clearing service."""
