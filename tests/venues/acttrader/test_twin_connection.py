"""Who may come in at the simulated ActTrader: nothing is documented, so each way is a switch (protocol 3)."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest

from tests.support.acttrader_raw import RawActTrader, acttrader

SECRET = "made-up-secret"
MESSAGE = '{"event":"auth","payload":{"key":"made-up-secret"}}'


async def refused(raw: RawActTrader, url: str, **more: Any) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as error:
        await raw.connect(url, **more)
    assert error.value.status == 401
    assert SECRET not in str(error.value.headers)


async def test_without_a_demand_everybody_may_connect() -> None:
    async with acttrader("draft") as raw:
        assert set(raw.twin.credentials()) == {"login"}
        assert await (await raw.connect()).nothing()


async def test_headers_can_be_demanded() -> None:
    headers = {"X-Api-Key": SECRET, "X-Client": "me"}
    async with acttrader("draft", auth_headers=headers) as raw:
        url = raw.sim.base_url_ws
        await refused(raw, url)
        await refused(raw, url, headers={"X-Api-Key": SECRET})
        await refused(raw, url, headers={**headers, "X-Api-Key": SECRET + "x"})
        await refused(raw, url, headers={**headers, "X-Api-Key": "caf\u00e9"})
        assert raw.twin.credentials()["auth_headers"] == headers
        assert await (await raw.connect(headers={"x-api-key": SECRET, "x-client": "me"})).nothing()


async def test_a_token_can_be_demanded() -> None:
    async with acttrader("final", token=SECRET + " &") as raw:
        await refused(raw, raw.sim.base_url_ws)
        await refused(raw, raw.sim.base_url_ws + "?token=wrong")
        assert await (await raw.connect(raw.twin.config_fields()["base_url_ws"])).nothing()
        async with raw.session.get(raw.sim.base_url_ws.replace("ws:", "http:")) as response:
            assert (response.status, await response.text()) == (401, "null")


async def test_a_first_message_can_be_demanded_and_nothing_is_told_before() -> None:
    async with acttrader("final", auth_message=MESSAGE) as raw:
        assert raw.twin.credentials()["auth_message"] == MESSAGE
        socket = await raw.connect()
        raw.twin.push_foreign_execution()
        await socket.send_text(MESSAGE.replace(",", " ,\n"))
        assert await socket.nothing()
        raw.twin.push_foreign_execution()
        assert (await socket.execution())["status"] == "FILLED"


@pytest.mark.parametrize("first", ['{"event":"orders","requestId":"a"}', "hello", MESSAGE.replace(SECRET, "wrong")])
async def test_any_other_first_message_ends_the_connection(first: str) -> None:
    async with acttrader("final", auth_message=MESSAGE) as raw:
        socket = await raw.connect()
        await socket.send_text(first)
        assert (await socket.receive())["payload"]["error"] == "not authenticated"
        assert await socket.is_over()


async def test_a_first_message_may_be_any_text_and_be_answered() -> None:
    async with acttrader("draft", auth_message="LOGIN me", auth_answer='{"event":"auth","payload":"ok"}') as raw:
        socket = await raw.connect()
        await socket.send_text("LOGIN me")
        assert await socket.receive() == {"event": "auth", "payload": "ok"}
        assert await socket.nothing()


async def test_no_secret_in_the_repr_of_the_options() -> None:
    async with acttrader(
        "draft", auth_headers={"a": SECRET}, token=SECRET, auth_message=SECRET, ticker_token=SECRET
    ) as raw:
        assert SECRET not in repr(raw.twin.options)
