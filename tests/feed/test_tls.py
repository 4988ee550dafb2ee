"""Encrypted connections: a trusted venue is talked to, an untrusted one is not shown anything."""

import asyncio
from pathlib import Path

import pytest

from nautilus_orderfeeds.feed.errors import FatalFeedError, NotSent, TransientFeedError
from nautilus_orderfeeds.feed.rest import RestClient
from tests.support.feed_server import Setup, feed_server, greet_and_hold, until
from tests.support.raw_http import RawServer, answer
from tests.support.tls import loopback_contexts


async def test_session_over_tls(tmp_path: Path):
    server_side, trusting = loopback_contexts(tmp_path)
    async with feed_server(greet_and_hold, ssl=server_side) as server:
        assert server.url.startswith("wss://")
        setup = Setup(server, ssl=trusting)
        await setup.session.start()
        await until(lambda: setup.frames == [b"hello 1"])
        await setup.session.stop()
        doubting = Setup(server, start_timeout_secs=0.3)
        with pytest.raises(TransientFeedError, match="certificate"):
            await doubting.session.start()
        assert server.connections == 1


async def test_ssl_context_for_a_plain_url_is_refused(tmp_path: Path):
    _, trusting = loopback_contexts(tmp_path)
    async with feed_server(greet_and_hold) as server:
        with pytest.raises(FatalFeedError, match="use wss://"):
            await Setup(server, ssl=trusting).session.start()
        assert server.connections == 0


async def test_rest_over_tls(tmp_path: Path):
    server_side, trusting = loopback_contexts(tmp_path)
    script = RawServer([answer(200, b"hello")])
    server = await asyncio.start_server(script.handle, "127.0.0.1", 0, ssl=server_side)
    url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        client = RestClient(url, ssl=trusting, trust_env=False)
        assert (await client.request("GET", "/")).body == b"hello"
        await client.close()
        client = RestClient(url, trust_env=False)
        with pytest.raises(NotSent, match="certificate"):
            await client.request("POST", "/orders", body=b"{}")
        await client.close()
        assert len(script.requests) == 1
        for writer in script.writers:
            writer.transport.abort()
