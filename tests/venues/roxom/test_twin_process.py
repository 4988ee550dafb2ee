"""The simulated Roxom as a process of its own, with a market that moves, and its credentials."""

from __future__ import annotations

import asyncio
import json
import signal
import sys

import aiohttp
import pytest

from nautilus_orderfeeds.sim import simulate
from tests.support.roxom_raw import GOLD, roxom


async def test_it_prints_its_address_and_ends_on_a_signal() -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "nautilus_orderfeeds.sim", "roxom", "--seed", "7", "--no-flow"),
        *("--option", "balance=5", "--option", "auth=key_only", "--option", 'prefixes=["/v1"]'),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    line = json.loads(await asyncio.wait_for(process.stdout.readline(), 20))
    assert line["base_url_ws"] == line["base_url_http"].replace("http", "ws") + "/ws"
    assert line["credentials"] == simulate("roxom", seed=7, auth="key_only").credentials()
    headers = {"X-API-Key": line["credentials"]["api_key"]}
    async with aiohttp.ClientSession(headers=headers) as session:
        async with session.get(f"{line['base_url_http']}/v1/accounts/balance") as response:
            assert (await response.json())["data"]["balances"][0]["current"] == "500000000"
        async with session.ws_connect(line["base_url_ws"]):
            process.send_signal(signal.SIGTERM)
            assert await asyncio.wait_for(process.wait(), 10) == 0
    assert process.stderr is not None
    assert await process.stderr.read() == b""


def test_seeds_make_different_keys_and_no_account_shows_its_secret() -> None:
    first, same, other = (simulate("roxom", seed=seed, accounts=2, auth="hmac") for seed in (1, 1, 2))
    assert first.credentials() == same.credentials() != other.credentials()
    accounts = first.twin.accounts  # type: ignore[attr-defined]
    assert len({account.api_key for account in accounts}) == 2
    assert accounts[0].api_secret not in repr(accounts)


def test_an_unknown_switch_is_an_error() -> None:
    with pytest.raises(TypeError, match="no_such_switch"):
        simulate("roxom", no_such_switch=True)
    with pytest.raises(ValueError, match="sometimes"):
        simulate("roxom", create_stream="sometimes")
    with pytest.raises(ValueError, match="event_unit"):
        simulate("roxom", event_unit="eur")


async def test_the_market_moves_by_itself_and_is_told() -> None:
    async with roxom(market_flow=True, tick_secs=0.01) as raw:
        stream = await raw.stream()
        for channel in ("level1", "trade", "depth", "ticker"):
            await stream.op("subscribe", *({"channel": channel, "symbol": s} for s in raw.sim.market.products))
        seen: set[tuple[str, str]] = set()
        wanted = {(f"{channel}.{GOLD}", "snapshot") for channel in ("level1", "trade", "depth", "ticker")}
        while not seen >= wanted | {(f"depth.{GOLD}", "delta")}:
            message = await stream.receive()
            seen.add((str(message.get("topic")), str(message.get("type"))))
        order_id = await raw.order("buy", "1.00")
        assert (await raw.one(order_id))["status"] == "filled"
