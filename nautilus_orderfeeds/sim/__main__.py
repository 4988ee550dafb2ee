"""
Run a simulated venue as a process: `python -m nautilus_orderfeeds.sim bsx --port 0 --seed 7`.

Once it listens it prints one line of JSON with its URLs and (made-up) credentials. SIGINT and SIGTERM end it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
from typing import Any

from nautilus_orderfeeds.sim.simulation import simulate


def _option(text: str) -> tuple[str, Any]:
    """`name=value` with a JSON value; what is no JSON is taken as text."""
    name, separator, value = text.partition("=")
    if not separator:
        raise argparse.ArgumentTypeError(f"expected name=value, got {text!r}")
    try:
        return name, json.loads(value)
    except json.JSONDecodeError:
        return name, value


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m nautilus_orderfeeds.sim", description=__doc__)
    parser.add_argument("venue", help="folder of nautilus_orderfeeds.venues, e.g. bsx")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free port")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--accounts", type=int, default=1, help="number of user accounts")
    parser.add_argument("--no-flow", action="store_true", help="let the background market stand still")
    parser.add_argument("--tick-secs", type=float, default=0.25, help="seconds between market steps")
    parser.add_argument(
        "--option", type=_option, action="append", default=[], metavar="NAME=VALUE", help="a switch of the venue"
    )
    return parser.parse_args(argv)


async def run(argv: list[str] | None = None) -> None:
    """Serve until a signal comes."""
    args = _arguments(argv)
    over = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, over.set)
    options = dict(args.option)
    if args.accounts != 1:
        options["accounts"] = args.accounts
    async with simulate(
        args.venue,
        seed=args.seed,
        port=args.port,
        host=args.host,
        market_flow=not args.no_flow,
        tick_secs=args.tick_secs,
        **options,
    ) as sim:
        line = {
            "venue": sim.venue,
            "pid": os.getpid(),
            "seed": sim.seed,
            "base_url_http": sim.base_url_http,
            "base_url_ws": sim.base_url_ws,
            "credentials": sim.credentials(),
            "config_fields": sim.twin.config_fields(),
        }
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()
        await over.wait()


if __name__ == "__main__":
    asyncio.run(run())
