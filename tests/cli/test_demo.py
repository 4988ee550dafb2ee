"""`orderfeeds demo` as users run it: in a process, to the end, interrupted, and asked for something silly."""

import io
import json
import os
import signal
import subprocess
import tempfile
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from rich.console import Console

from nautilus_orderfeeds.adapter.custom_data import FeedHealth
from nautilus_orderfeeds.cli import cli, demo_director, demo_run, demo_strategy
from nautilus_orderfeeds.cli.compare import Comparison
from nautilus_orderfeeds.cli.demo_director import Director, passive_ticks, tether_ticks
from nautilus_orderfeeds.cli.demo_run import DemoResult
from nautilus_orderfeeds.cli.demo_strategy import DemoStrategy, Wait
from nautilus_orderfeeds.sim.model import Product
from nautilus_orderfeeds.venues import registry
from nautilus_orderfeeds.venues.capabilities import Capabilities, Feature
from tests.support.cli_runs import COMMAND, environment, lines, run_command

BSX = ("--venue", "bsx")


@pytest.fixture(autouse=True)
def _own_temporary_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A demonstration that fails keeps its folder: not among everybody's."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo") / "kept"


@pytest.fixture(scope="module")
def run(kept: Path) -> subprocess.CompletedProcess[str]:
    """One run in a process, its output piped: progress on stderr, the result on stdout."""
    return run_command("demo", *BSX, "--seed", "11", "--json", "--keep", str(kept), secs=80)


def test_books_agree(run: subprocess.CompletedProcess[str]) -> None:
    assert run.returncode == 0, run.stdout + run.stderr
    told: dict[str, Any] = json.loads(run.stdout)
    assert (told["agree"], told["problems"]) == (True, [])
    (venue,) = told["venues"]
    assert (venue["venue"], venue["differences"]) == ("BSX", [])
    assert venue["orders"] >= 8
    assert venue["fills"] >= 8
    assert all(row["venue"] == row["framework"] for row in venue["rows"])
    assert {"position BTC-PERP net", "balance USDC total"} <= {row["what"] for row in venue["rows"]}


def test_strategy_met_everything_there_is_to_meet(run: subprocess.CompletedProcess[str]) -> None:
    for needles in (
        ("ModifyRejected", "cannot modify an order"),
        ("Rejected (post only)",),
        ("somebody trades", "nobody can be told"),
        ("feed 'BSX orders' CONNECTING",),
        ("feed 'BSX orders' LIVE",),
        ("PendingCancel",),
        ("strategy cancels what rests and closes its position",),
    ):
        assert lines(run.stderr, *needles), needles
    assert len(lines(run.stderr, "BSX-3 Filled")) == 2  # the passive bid, in parts
    assert "\x1b" not in run.stderr


def test_fills_of_the_outage_came_after_it(run: subprocess.CompletedProcess[str]) -> None:
    (life,) = json.loads(run.stdout)["outage_orders"]
    assert life["order"]["status"] == "FILLED"
    told = run.stderr.splitlines()
    traded = next(n for n, line in enumerate(told) if "nobody can be told" in line)
    back = next(n for n, line in enumerate(told) if "the venue is back" in line)
    live = next(n for n, line in enumerate(told) if n > back and "feed 'BSX orders' LIVE" in line)
    filled = next(n for n, line in enumerate(told) if f"{life['order']['client_order_id']} Filled" in line)
    assert traded < back < live < filled


def test_log_and_journal_are_kept(run: subprocess.CompletedProcess[str], kept: Path) -> None:
    assert run.returncode == 0
    assert {path.name for path in kept.iterdir()} >= {"BSX.sqlite", "node.log", "orderfeeds.log"}
    assert "STOPPED" in (kept / "node.log").read_text()
    listed = json.loads(CliRunner().invoke(cli, ["timeline", str(kept / "BSX.sqlite"), "--json"]).stdout)
    assert {order["status"] for order in listed["orders"]} == {"FILLED", "CANCELED", "REJECTED"}
    assert all(order["fault"] is None for order in listed["orders"])


def test_no_second_run_into_the_same_folder(run: subprocess.CompletedProcess[str], kept: Path) -> None:
    assert run.returncode == 0
    shown = CliRunner().invoke(cli, ["demo", *BSX, "--keep", str(kept)])
    assert shown.exit_code == 2
    assert "has journals of an earlier run" in shown.stderr


@pytest.mark.parametrize(
    ("number", "when"),
    [(signal.SIGINT, "the venue resets every connection and is gone"), (signal.SIGTERM, "strategy buys at the market")],
)
def test_interrupted(number: signal.Signals, when: str, tmp_path: Path) -> None:
    process = subprocess.Popen(
        [*COMMAND, "demo", *BSX],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment({"TMPDIR": str(tmp_path)}),
    )
    assert process.stdout is not None
    for line in process.stdout:
        if when in line:
            break
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130, out + err
    assert err.strip() in ("", "... loading the framework")
    assert list(tmp_path.iterdir()) == []


def test_live_picture_on_a_terminal(tmp_path: Path) -> None:
    """On a terminal the picture is drawn over and over, and the framework writes nothing into it."""
    master, slave = os.openpty()
    process = subprocess.Popen(
        [*COMMAND, "demo", *BSX],
        stdout=slave,
        stderr=subprocess.PIPE,
        env=environment({"TMPDIR": str(tmp_path), "TERM": "xterm-256color", "COLUMNS": "140", "LINES": "50"}),
    )
    os.close(slave)
    seen = b""
    try:
        while b"is filled in parts" not in seen:
            seen += os.read(master, 65536)
    finally:
        process.send_signal(signal.SIGINT)
        while True:
            try:
                chunk = os.read(master, 65536)
            except OSError:  # the terminal is gone with its last writer
                break
            if not chunk:
                break
        os.close(master)
        _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert seen.count(b"client order id") > 5
    assert b"\x1b[" in seen
    assert b"DEMO-001" not in seen  # the framework's own log lines begin so
    assert err.strip() in (b"", b"... loading the framework")


async def test_venue_that_can_do_little(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No quotes, no market orders, no IOC, no post-only: the story is shorter, and the books agree all the same."""
    monkeypatch.setattr(demo_strategy, "_BREATH_SECS", 0.05)
    monkeypatch.setattr(demo_director, "_OUTAGE_SECS", 0.4)
    monkeypatch.setattr(demo_run, "_has_quotes", lambda _: False)
    monkeypatch.setattr(demo_run, "_has", lambda *_: False)
    monkeypatch.setattr(Capabilities, "supports", lambda _, feature: feature is Feature.QUERY_OPEN)
    states: list[str] = []
    on_data = DemoStrategy.on_data

    def spy(strategy: DemoStrategy, data: FeedHealth) -> None:
        states.append(data.state)
        on_data(strategy, data)

    monkeypatch.setattr(DemoStrategy, "on_data", spy)
    console = Console(file=io.StringIO(), width=200)
    result = await demo_run.run([registry.load("bsx")], 5, console, tmp_path)
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    assert (result.problems, result.comparisons[0].differences) == ([], []), shown
    assert demo_run.exit_code(result.comparisons, result.problems) == 0
    assert "refused a post-only order" not in shown
    (life,) = result.lives
    assert life[0].fill_ratio == 1
    # The strategy heard of the outage and of its end through the framework's own `subscribe_data`.
    assert states[0] == "CONNECTING"
    assert states[-1] == "LIVE"


async def test_story_that_cannot_go_on_ends_flat_and_says_where(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(demo_strategy, "_BREATH_SECS", 0.05)
    monkeypatch.setattr(demo_strategy, "_PATIENCE_SECS", 1.0)

    async def idle(*_: object) -> None:
        """Nobody ever trades with the resting bid."""

    monkeypatch.setattr(Director, "play", idle)
    monkeypatch.setattr(Wait.__init__, "__defaults__", (1.0,))
    result = await demo_run.run([registry.load("bsx")], 5, Console(file=io.StringIO()), tmp_path)
    assert result.problems == ["BSX: is filled in parts: waited 1 s for partial fills"]
    assert result.comparisons[0].differences == []
    rows = {row.what: row.venue for row in result.comparisons[0].rows}
    assert rows["position BTC-PERP net"] == "0"
    assert demo_run.exit_code(result.comparisons, result.problems) == 1


def test_disagreement_makes_exit_code_1(monkeypatch: pytest.MonkeyPatch) -> None:
    comparison = Comparison("BSX", orders=1, fills=1)
    comparison.client_order_ids["order v1"] = "O-1"
    comparison.add("order v1", "status", "FILLED", "FILLED")
    comparison.add("order v1", "filled", Decimal(2), Decimal(1))
    comparison.add("balance USDC", "total", Decimal(5), Decimal(5))

    async def run(*_: object) -> DemoResult:
        return DemoResult([comparison], [], [])

    monkeypatch.setattr(demo_run, "run", run)
    shown = CliRunner().invoke(cli, ["demo", *BSX])
    assert shown.exit_code == 1
    assert lines(shown.stdout, "✗", "O-1", "venue 2, framework 1")
    assert lines(shown.stdout, "✓", "balance USDC", "5")
    assert lines(shown.stdout, "✗ 3 values of 1 orders and 1 fills at 1 venue(s) compared: 1 differ")
    assert "journals and logs are in" in shown.stderr

    told = json.loads(CliRunner().invoke(cli, ["demo", *BSX, "--json"]).stdout)
    assert (told["agree"], told["venues"][0]["differences"]) == (False, ["order v1 filled"])


def test_story_that_went_wrong_makes_exit_code_1(monkeypatch: pytest.MonkeyPatch) -> None:
    comparison = Comparison("BSX")
    comparison.add("balance USDC", "total", 5, 5)

    async def run(*_: object) -> DemoResult:
        return DemoResult([comparison], ["BSX: the story is not over"], [])

    monkeypatch.setattr(demo_run, "run", run)
    shown = CliRunner().invoke(cli, ["demo", *BSX])
    assert shown.exit_code == 1
    assert "✗ BSX: the story is not over" in shown.stdout


def test_unknown_venue() -> None:
    shown = CliRunner().invoke(cli, ["demo", "--venue", "moon"])
    assert shown.exit_code == 2
    assert "error: no venue 'moon'" in shown.stderr


def test_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    shown = CliRunner().invoke(cli, ["demo", *BSX, "--keep", str(tmp_path / "file" / "sub")])
    assert shown.exit_code == 2
    assert "cannot be made: Not a directory" in shown.stderr


def test_all_venues_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    async def run(entries: list[registry.VenueEntry], *_: object) -> DemoResult:
        asked.extend(entry.name for entry in entries)
        return DemoResult([], [], [])

    monkeypatch.setattr(demo_run, "run", run)
    CliRunner().invoke(cli, ["demo"])
    loadable = [found.name for found in registry.load_all() if isinstance(found, registry.VenueEntry)]
    assert asked == loadable
    assert "bsx" in asked


@pytest.mark.parametrize(
    ("tick", "mid"), [("0.1", "64650"), ("0.00001", "1.0845"), ("0.01", "0.5"), ("0.00000001", "0.0485"), ("1", "100")]
)
def test_orders_rest_out_of_the_markets_reach(tick: str, mid: str) -> None:
    product = Product("P", "B", "Q", Decimal(tick), Decimal(1), Decimal(1), Decimal(mid))
    assert 1 <= tether_ticks(product) < passive_ticks(product)
    # Also where the whole range of prices is a few dozen ticks (a prediction market).
    assert passive_ticks(product) * product.tick < product.mid / 2


def test_temporary_folder_is_used_and_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    folders: list[Path] = []
    comparison = Comparison("BSX")
    comparison.add("balance USDC", "total", 5, 5)

    async def run(_: object, __: int, ___: object, folder: Path) -> DemoResult:
        folders.append(folder)
        (folder / "node.log").touch()
        return DemoResult([comparison], [], [])

    monkeypatch.setattr(demo_run, "run", run)
    assert CliRunner().invoke(cli, ["demo", *BSX]).exit_code == 0
    (folder,) = folders
    assert folder.parent == Path(tempfile.gettempdir())
    assert not folder.exists()
