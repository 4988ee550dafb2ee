"""The simulated sFOX as a process of its own."""

from __future__ import annotations

import asyncio
import json
import signal
import sys

import aiohttp
import pytest

from nautilus_orderfeeds.sim import simulate
from nautilus_orderfeeds.venues.sfox.twin_options import SfoxTwinOptions
from nautilus_orderfeeds.venues.sfox.twin_words import Spelling


async def test_it_prints_its_address_and_takes_switches_from_the_command_line() -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "nautilus_orderfeeds.sim", "sfox", "--seed", "7", "--accounts", "4", "--no-flow"),
        *("--option", "enterprise=true", "--option", 'balances={"usd": 12.5}', "--option", "spelling=lower"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    line = json.loads(await asyncio.wait_for(process.stdout.readline(), 20))
    assert line["credentials"] == simulate("sfox", seed=7, enterprise=True).credentials()
    headers = {"Authorization": f"Bearer {line['credentials']['api_key']}"}
    async with aiohttp.ClientSession(headers=headers) as session:
        async with session.post(f"{line['base_url_http']}/v1/enterprise/user-tokens/test4") as response:
            token = (await response.json())["data"]["token"]
        user = {"Authorization": f"Bearer {token}"}
        async with session.get(f"{line['base_url_http']}/v1/user/balance", headers=user) as response:
            assert (await response.json())[0]["balance"] == 12.5
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), 10) == 0
    assert process.stderr is not None
    assert await process.stderr.read() == b""


def test_switches_take_plain_values_and_refuse_unknown_ones() -> None:
    options = SfoxTwinOptions(spelling="sentence", maker_rate=0.001, feed_without=["pair"])  # type: ignore[arg-type]
    assert options.spelling is Spelling.SENTENCE
    assert (str(options.maker_rate), options.feed_without) == ("0.001", ("pair",))
    with pytest.raises(ValueError, match="sometimes"):
        simulate("sfox", spelling="sometimes")
    with pytest.raises(TypeError, match="no_such_switch"):
        simulate("sfox", no_such_switch=True)
