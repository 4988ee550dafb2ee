"""`orderfeeds record`, `replay` and `catalog`: from a running simulated venue to a catalog, as from a shell."""

import asyncio
import json
import shlex
import signal
import subprocess
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner
from nautilus_trader.model.data import QuoteTick
from nautilus_trader.persistence.catalog import ParquetDataCatalog

from nautilus_orderfeeds.adapter.record import VenueRecorder
from nautilus_orderfeeds.cli import cli
from nautilus_orderfeeds.feed.replayer import FrameReplayer
from nautilus_orderfeeds.feed.stream import Direction
from nautilus_orderfeeds.sim import Side, simulate
from nautilus_orderfeeds.venues import registry
from tests.support.cli_runs import COMMAND, PRODUCT, SimProcess, environment, run_command, run_short, simulated_bsx


@pytest.fixture(scope="module")
def venue() -> Iterator[SimProcess]:
    with simulated_bsx("--seed", "5") as process:
        yield process


@pytest.fixture(scope="module")
def recorded(venue: SimProcess, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """A recording of a second or two, and what the command said of it."""
    path = tmp_path_factory.mktemp("record") / "feed.jsonl.zst"
    done = run_command(
        "record", "bsx", "--output", str(path), "--duration", "1.5", "--json", *venue.urls, env=venue.variables
    )
    assert done.returncode == 0, done.stderr
    return path, json.loads(done.stdout)


def invoke(*arguments: str) -> Any:
    return CliRunner().invoke(cli, list(arguments))


def test_record_tells_what_it_recorded(recorded: tuple[Path, dict[str, Any]]) -> None:
    path, told = recorded
    rows = list(FrameReplayer(path))
    incoming = [row for row in rows if row.direction is Direction.IN]
    assert told["venue"] == "bsx"
    assert told["file"] == str(path)
    assert "BTC-PERP.BSX" in told["instruments"]
    assert told["frames"] == len(incoming) > 0
    assert {stream["stream"]: stream["frames"] for stream in told["streams"]} == {
        name: sum(row.stream == name for row in incoming) for name in ("BSX orders", "BSX market data")
    }
    assert rows[0].direction is Direction.NOTE


def test_no_credential_is_recorded(recorded: tuple[Path, dict[str, Any]], venue: SimProcess) -> None:
    text = b"\n".join(row.frame for row in FrameReplayer(recorded[0]))
    for name, value in venue.credentials.items():
        if name != "wallet_address":
            assert value.encode() not in text, name


def test_ctrl_c_ends_it_with_a_summary(venue: SimProcess, tmp_path: Path) -> None:
    path = tmp_path / "feed.jsonl"
    process = subprocess.Popen(
        [*COMMAND, "record", "bsx", "-o", str(path), "--streams", "public", "--symbol", PRODUCT, *venue.urls],
        stdout=subprocess.PIPE,
        text=True,
        env=environment(),
    )
    deadline = time.monotonic() + 30
    while not (path.exists() and path.read_bytes().count(b"\n") > 10) and time.monotonic() < deadline:
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=20)
    assert process.returncode == 0
    assert "BSX market data" in output
    assert str(path) in output
    products = {row["product"] for row in _frames(path) if row.get("type") == "update" and "product" in row}
    assert products <= {PRODUCT, "BTC"}  # prices of the oracle go by the base


def _frames(path: Path) -> list[dict[str, Any]]:
    return [json.loads(row.frame) for row in FrameReplayer(path) if row.direction is Direction.IN]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("nowhere", "-o", "a.jsonl"), "no venue 'nowhere'"),
        (("bsx", "-o", "a.csv"), "expected a file name ending in .jsonl"),
        (("bsx", "-o", "{tmp}/a.jsonl", "--symbol", "DOGE-PERP", "--streams", "public"), "no instrument DOGE-PERP"),
        (("bsx", "-o", "{tmp}/a.jsonl"), "missing api_key"),
    ],
)
def test_what_is_missing_is_named(venue: SimProcess, tmp_path: Path, arguments: tuple[str, ...], message: str) -> None:
    given = [argument.replace("{tmp}", str(tmp_path)) for argument in arguments]
    done = run_command("record", *given, *venue.urls)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_a_full_disk_ends_it_with_an_error(venue: SimProcess, tmp_path: Path) -> None:
    """A limit on the file's size stands for the disk: what was recorded before stays readable."""
    path = tmp_path / "feed.jsonl"
    options = ["-o", str(path), "--streams", "public", "--duration", "30", *venue.urls]
    script = f"ulimit -f 64; trap '' XFSZ; exec {shlex.join([*COMMAND, 'record', 'bsx', *options])}"
    done = subprocess.run(
        ["bash", "-c", script], capture_output=True, text=True, env=environment(), timeout=60, check=False
    )
    assert done.returncode == 2
    assert "cannot write" in done.stderr.splitlines()[-1]
    assert len(list(FrameReplayer(path))) > 10


# -- replay ------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def with_orders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    """A recording of an account that trades elsewhere, and the venue's ledger."""
    path = tmp_path_factory.mktemp("orders") / "orders.jsonl.gz"

    async def run() -> Any:
        entry = registry.load("bsx")
        async with simulate("bsx", seed=5, market_flow=False) as sim:
            recorder = VenueRecorder(entry.door, path, exec_config=sim.exec_config(), data_config=sim.data_config())
            async with recorder:
                price = sim.market.best(PRODUCT)[0] - 100  # type: ignore[operator]
                order = sim.place_external(PRODUCT, side=Side.BUY, size="0.04", price=str(price))
                for size in ("0.01", "0.02"):
                    sim.market.trade(PRODUCT, price, size, Side.SELL)
                    sim.market.step()
                sim.cancel_external(order)
                async with asyncio.timeout(10):
                    while recorder.frames["BSX orders"] < 5:
                        await asyncio.sleep(0.02)
            return sim.ledger

    return path, asyncio.run(run())


def test_replay_shows_the_events_the_frames_lead_to(with_orders: tuple[Path, Any]) -> None:
    path, ledger = with_orders
    (order,) = ledger.orders()
    told = json.loads(invoke("replay", str(path), "--json", "--check").stdout)
    assert told["venue"] == "bsx"
    assert told["malformed"] == told["unknown_instruments"] == 0
    names = [event["event"] for event in told["events"]]
    assert names[-1] == "OrderCanceled"
    fills = [event for event in told["events"] if event["event"] == "OrderFilled"]
    assert {event["client_order_id"] for event in told["events"]} == {order.venue_order_id}
    assert sum(Decimal(fill["last_qty"]) for fill in fills) == order.filled == Decimal("0.03")
    assert told["checks"]["lines"] == sum(1 for _ in FrameReplayer(path))
    assert told["checks"]["lines_that_differ"] == 0
    assert told["checks"]["same_events_again"]
    assert told["data"]["QuoteTick"] > 0


def test_replay_in_words(with_orders: tuple[Path, Any]) -> None:
    done = invoke("replay", str(with_orders[0]))
    assert done.exit_code == 0
    assert "Filled 0.01" in done.output
    assert "Canceled" in done.output
    assert "led to" in done.output


def test_speed_keeps_the_pauses(with_orders: tuple[Path, Any]) -> None:
    path, _ = with_orders
    stamps = [row.ts_ns for row in FrameReplayer(path)]
    recorded_secs = (stamps[-1] - stamps[0]) / 1e9
    began = time.monotonic()
    assert invoke("replay", str(path), "--speed", "2").exit_code == 0
    assert time.monotonic() - began >= recorded_secs / 2


def test_a_changed_byte_is_noticed(with_orders: tuple[Path, Any], tmp_path: Path) -> None:
    path = tmp_path / "changed.jsonl"
    lines = [row.to_row() for row in FrameReplayer(with_orders[0])]
    text = "\n".join(
        json.dumps({"ts_ns": r.ts_ns, "dir": r.dir.value, "stream": r.stream, "text": r.text}) for r in lines
    )
    path.write_text(text + "\n")
    done = invoke("replay", str(path), "--check", "--json")
    assert done.exit_code == 1
    # The same events, of a file that is not as the recorder writes it (spaces after colons).
    told = json.loads(done.stdout)
    assert told["checks"] == {"lines": len(lines), "lines_that_differ": len(lines), "same_events_again": True}


def test_journal_and_recording_of_one_session_have_the_same_frames(tmp_path: Path) -> None:
    journal, recording = tmp_path / "BSX-001.sqlite", tmp_path / "private.jsonl.zst"
    run_short(journal, record=str(recording))
    told = json.loads(invoke("replay", str(recording), "--journal", str(journal), "--json").stdout)
    assert told["checks"]["journal_frames"] > 0
    assert told["checks"]["frames_not_recorded"] == 0
    other = tmp_path / "other.jsonl"
    other.write_bytes(b'{"ts_ns":1,"dir":"in","stream":"BSX orders","text":"{}"}\n')
    done = invoke("replay", str(other), "--journal", str(journal), "--json")
    assert done.exit_code == 1
    assert json.loads(done.stdout)["checks"]["frames_not_recorded"] == told["checks"]["journal_frames"]


def test_a_recording_without_notes_needs_a_file_of_instruments(with_orders: tuple[Path, Any], tmp_path: Path) -> None:
    """As the config field `record` wrote them before there were notes, or a later part alone."""
    rows = list(FrameReplayer(with_orders[0]))
    note = json.loads(rows[0].frame)
    path, instruments = tmp_path / "bare.jsonl", tmp_path / "instruments.json"
    frames = [row for row in rows if row.direction is Direction.IN and row.stream == "BSX orders"]
    path.write_bytes(b"".join(msgspec.json.encode(row.to_row()) + b"\n" for row in frames))
    instruments.write_text(json.dumps(note["instruments"]))
    bare = json.loads(invoke("replay", str(path), "--json").stdout)
    assert bare["venue"] == "bsx"  # by the names of the streams
    assert bare["events"] == []
    assert bare["unknown_instruments"] > 0
    told = json.loads(invoke("replay", str(path), "--instruments", str(instruments), "--json").stdout)
    assert told["unknown_instruments"] == 0
    assert [event["event"] for event in told["events"]][-1] == "OrderCanceled"
    done = invoke("catalog", str(path), "--output", str(tmp_path / "catalog"))
    assert done.exit_code == 1
    assert "name a file of them" in done.output


def test_a_node_goes_on_without_a_recording_it_cannot_write(tmp_path: Path) -> None:
    (tmp_path / "no folder").write_text("")
    run = run_short(tmp_path / "BSX-001.sqlite", record=str(tmp_path / "no folder" / "a.jsonl"))
    assert {order.is_closed for order in run.cache.orders()} == {True}


def test_a_recording_that_does_not_say_whose_it_is(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"ts_ns":1,"dir":"in","stream":"somewhere","text":"{}"}\n')
    done = invoke("replay", str(path))
    assert done.exit_code == 2
    assert "name it with --venue" in done.output


# -- catalog -----------------------------------------------------------------------------------------------------------


def test_catalog_of_a_recording(recorded: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    path, _ = recorded
    folder = tmp_path / "catalog"
    first = json.loads(invoke("catalog", str(path), "--output", str(folder), "--json").stdout)
    assert first["found"] == first["written"]
    assert first["malformed"] == 0
    quotes = ParquetDataCatalog(str(folder)).query(QuoteTick)
    assert len(quotes) == first["found"]["QuoteTick"] > 0
    again = json.loads(invoke("catalog", str(path), "--output", str(folder), "--json").stdout)
    assert again["found"] == first["found"]
    assert again["written"] == {}


def test_catalog_in_words(recorded: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    done = invoke("catalog", str(recorded[0]), "--output", str(tmp_path / "catalog"))
    assert done.exit_code == 0
    assert "QuoteTick" in done.output
    assert "IndexPriceUpdate left out" in done.output


def test_no_recording(tmp_path: Path) -> None:
    done = invoke("catalog", str(tmp_path / "none.jsonl"), "--output", str(tmp_path / "catalog"))
    assert done.exit_code == 2
    assert "no recording at" in done.output
