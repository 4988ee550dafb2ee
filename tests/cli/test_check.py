"""`orderfeeds check` against a running simulated venue, a wrong key, a dead port and a wrong clock."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from nautilus_orderfeeds.cli import cli, preflight
from tests.support.cli_runs import SimProcess, environment, simulated_bsx

CREDENTIALS = ("BSX_API_KEY", "BSX_API_SECRET", "BSX_SIGNER_KEY", "BSX_WALLET_ADDRESS")
STEPS = [
    "settings",
    "credentials",
    "reachability",
    "clock",
    "login",
    "instruments",
    "private feed",
    "account",
    "market data",
    "latency",
]


@pytest.fixture(scope="module")
def sim() -> Iterator[SimProcess]:
    with simulated_bsx() as running:
        yield running


def check(*arguments: str, variables: dict[str, str | None]) -> Result:
    cleared = dict.fromkeys(CREDENTIALS)
    return CliRunner().invoke(cli, ["check", "bsx", *arguments], env={**cleared, **variables})


def findings(result: Result) -> dict[str, dict[str, Any]]:
    return {finding["name"]: finding for finding in json.loads(result.stdout)["checks"]}


def test_everything_is_ok(sim: SimProcess) -> None:
    result = check(*sim.urls, "--json", variables={**sim.variables})
    told = json.loads(result.stdout)
    assert result.exit_code == 0
    assert (told["venue"], told["environment"], told["ok"]) == ("bsx", "live", True)
    found = findings(result)
    assert list(found) == STEPS
    assert {finding["verdict"] for finding in found.values()} == {"ok"}
    assert found["instruments"]["detail"].startswith("3 (BTC-PERP")
    assert found["account"]["detail"] == "0 open orders, 0 positions, balances in USDC"
    assert "median" in found["latency"]["detail"]


def test_lines_for_people(sim: SimProcess) -> None:
    result = check(*sim.urls, variables={**sim.variables})
    assert result.exit_code == 0
    assert [line.split("  ")[0][2:].strip() for line in result.stdout.splitlines()[:-1]] == STEPS
    assert all(line.startswith("✓ ") for line in result.stdout.splitlines()[:-1])
    assert result.stdout.splitlines()[-1] == "BSX is ready"


@pytest.mark.parametrize("name", ["BSX_API_KEY", "BSX_API_SECRET"])
def test_wrong_key_fails_the_login_and_says_what_to_check(sim: SimProcess, name: str) -> None:
    wrong = "0123456789abcdef-not-the-key"
    result = check(*sim.urls, "--json", variables={**sim.variables, name: wrong})
    assert result.exit_code == 1
    found = findings(result)
    assert found["reachability"]["verdict"] == "ok"
    assert found["login"]["verdict"] == "failed"
    assert "BSX_API_KEY and BSX_API_SECRET" in found["login"]["detail"]
    for later in ("instruments", "private feed", "account", "market data"):
        assert found[later]["verdict"] == "skipped"
    assert wrong not in result.output


def test_key_of_another_wallet_is_told_before_any_order(sim: SimProcess) -> None:
    result = check(*sim.urls, "--json", variables={**sim.variables, "BSX_SIGNER_KEY": "0x" + "11" * 32})
    assert result.exit_code == 1
    assert "every order would be refused" in findings(result)["login"]["detail"]


def test_missing_credential_is_named(sim: SimProcess) -> None:
    variables = {name: value for name, value in sim.variables.items() if name != "BSX_SIGNER_KEY"}
    found = findings(check(*sim.urls, "--json", variables={**variables}))
    assert "not set: BSX_SIGNER_KEY" in found["credentials"]["detail"]
    assert found["login"]["verdict"] == "failed"
    assert "BSX_SIGNER_KEY" in found["login"]["detail"]


def test_no_credentials_at_all_still_checks_the_way(sim: SimProcess) -> None:
    result = check(*sim.urls, "--json", variables={})
    assert result.exit_code == 1
    found = findings(result)
    assert found["credentials"]["verdict"] == "warning"
    assert found["credentials"]["advice"] == "set BSX_API_KEY, BSX_API_SECRET, BSX_SIGNER_KEY"
    assert found["reachability"]["verdict"] == found["clock"]["verdict"] == "ok"
    assert found["login"]["verdict"] == "failed"


def test_no_secret_is_ever_shown(sim: SimProcess) -> None:
    secrets = [sim.credentials[name] for name in ("api_key", "api_secret", "signer_key")]
    for arguments in (("--json",), ()):
        for broken in ({}, {"BSX_WALLET_ADDRESS": "0x" + "22" * 20}):
            result = check(*sim.urls, *arguments, variables={**sim.variables, **broken})
            assert not any(secret in result.output for secret in secrets)


def test_dead_port() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))  # bound and not listening: nobody else can take it
        port = bound.getsockname()[1]
        urls = ("--base-url-http", f"http://127.0.0.1:{port}", "--base-url-ws", f"ws://127.0.0.1:{port}/ws")
        result = check(*urls, "--json", variables={"BSX_API_KEY": "k", "BSX_API_SECRET": "s", "BSX_SIGNER_KEY": "0x1"})
    assert result.exit_code == 1
    found = findings(result)
    assert found["reachability"]["verdict"] == "failed"
    assert found["reachability"]["detail"] == f"127.0.0.1:{port}: Connection refused"
    assert found["login"] == {**found["login"], "verdict": "skipped", "detail": "needs reachability"}


def test_stream_at_the_wrong_path_is_told(sim: SimProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, "_FEED_SECS", 1.0)
    urls = ("--base-url-http", sim.http, "--base-url-ws", f"{sim.ws}/nowhere")
    result = check(*urls, "--json", variables={**sim.variables})
    assert result.exit_code == 1
    found = findings(result)
    assert found["login"]["verdict"] == "ok"
    assert found["private feed"]["verdict"] == "failed"
    assert "HTTP status 404" in found["private feed"]["detail"]
    assert found["account"]["verdict"] == "skipped"


class _AnHourAgo(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.send_response_only(404)
        self.send_header("Date", self.date_time_string(time.time() - 3600))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def test_wrong_clock() -> None:
    server = HTTPServer(("127.0.0.1", 0), _AnHourAgo)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        where = f"127.0.0.1:{server.server_port}"
        result = check(
            "--base-url-http", f"http://{where}", "--base-url-ws", f"ws://{where}/ws", "--json", variables={}
        )
    finally:
        server.shutdown()
        server.server_close()
    clock = findings(result)["clock"]
    assert clock["verdict"] == "failed"
    assert clock["detail"].startswith("this machine is 3")
    assert "s ahead" in clock["detail"]
    assert clock["advice"] == "synchronise this machine's clock (NTP)"


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--base-url-http", "localhost:80"), "'localhost:80' is no http:// or https:// URL"),
        (("--base-url-ws", "http://localhost"), "'http://localhost' is no ws:// or wss:// URL"),
        (("--environment", "moon"), "Invalid enum value 'moon'"),
        (("--option", "api_secret=abc"), "secrets are not taken from the command line; set BSX_API_SECRET"),
        (("--option", "no_such=1"), "BsxExecClientConfig has no such field"),
        (("--option", "nothing"), "expected NAME=VALUE"),
        (("--option", "environment=testnet"), "use --environment"),
        (("--option", "requests_per_sec=many"), "BsxExecClientConfig"),
    ],
)
def test_wrong_usage_is_named_at_once(arguments: tuple[str, ...], reason: str) -> None:
    result = check(*arguments, variables={})
    assert result.exit_code == 2
    assert reason in " ".join(result.stderr.split())
    assert "abc" not in result.output


def test_setting_that_makes_no_sense(sim: SimProcess) -> None:
    result = check(*sim.urls, "--option", "market_slippage=7", variables={**sim.variables})
    assert result.exit_code == 1
    assert "✗ settings      market_slippage 7 is not a fraction between 0 and 1" in result.stdout


def test_missing_instruments_file(sim: SimProcess, tmp_path: Path) -> None:
    missing = tmp_path / "none.json"
    found = findings(check(*sim.urls, "--instruments", str(missing), "--json", variables={**sim.variables}))
    assert found["instruments"]["verdict"] == "failed"
    assert str(missing) in found["instruments"]["detail"]


def test_unknown_venue() -> None:
    result = CliRunner().invoke(cli, ["check", "moon"], env=environment())
    assert result.exit_code == 2
    assert "error: no venue 'moon'" in result.stderr
