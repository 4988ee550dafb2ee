"""`orderfeeds timeline` on the journal of a real run."""

import itertools
import json
import sqlite3
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from nautilus_orderfeeds.cli import cli, timeline_view
from nautilus_orderfeeds.orders import events as ev
from nautilus_orderfeeds.orders.journal_reader import JournalFrame
from tests.support.cli_runs import ShortRun, lines, run_command, run_short


class Journal:
    """A journal, the run that wrote it, and what the command said while that was still going on."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "BSX-001.sqlite"
        self.while_writing: Result | None = None
        self.run: ShortRun = run_short(self.path, self._look)

    def _look(self) -> None:
        self.while_writing = timeline(self.path, "--json")


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> Journal:
    return Journal(tmp_path_factory.mktemp("timeline"))


def timeline(path: Path, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ["timeline", str(path), *arguments])


def test_list_of_orders(journal: Journal) -> None:
    told = json.loads(timeline(journal.path, "--json").stdout)
    assert (told["account"], told["count"]) == ("BSX-001", 2)
    bid, sell = told["orders"]
    assert (bid["client_order_id"], sell["client_order_id"]) == (journal.run.part_filled, journal.run.at_market)
    assert (bid["status"], bid["quantity"], bid["filled_qty"], bid["fill_ratio"]) == (
        "CANCELED",
        "0.04",
        "0.03",
        "0.75",
    )
    assert (sell["status"], sell["side"], sell["filled_qty"], sell["fill_ratio"]) == ("FILLED", "SELL", "0.03", "1")
    for order in (bid, sell):
        assert 0 < order["time_to_accept_ns"] <= order["time_to_first_fill_ns"] <= order["duration_ns"]
        assert order["closed_ns"] - order["created_ns"] == order["duration_ns"]
    venue_ids = {order.venue_order_id for order in journal.run.sim.ledger.orders()}
    assert {bid["venue_order_id"], sell["venue_order_id"]} == venue_ids


def test_reads_while_a_node_writes(journal: Journal) -> None:
    assert journal.while_writing is not None
    assert journal.while_writing.exit_code == 0
    assert (
        json.loads(journal.while_writing.stdout)["orders"]
        == json.loads(timeline(journal.path, "--json").stdout)["orders"]
    )


def test_life_of_an_order(journal: Journal) -> None:
    told = json.loads(timeline(journal.path, "--order", journal.run.part_filled, "--json").stdout)
    life = told["timeline"]
    offsets = [moment["offset_ns"] for moment in life]
    assert offsets == sorted(offsets)
    assert offsets[0] == 0
    assert [moment["event"] for moment in life if moment["kind"] == "event"] == [
        "OrderSubmitted",
        "OrderAccepted",
        "OrderFilled",
        "OrderFilled",
        "OrderPendingCancel",
        "OrderCanceled",
    ]
    frames = [moment for moment in life if moment["kind"] == "frame"]
    assert frames
    assert all(told["order"]["venue_order_id"] in frame["raw"] for frame in frames)
    assert all(frame["fault"] is None for frame in frames)
    kinds = [moment["kind"] for moment in life]
    for n, moment in enumerate(life):
        if moment.get("event") == "OrderFilled":
            assert kinds[n - 1] == "frame"  # what the venue said comes before what was made of it


def test_all_frames_of_the_order_and_no_others(journal: Journal) -> None:
    with sqlite3.connect(journal.path) as db:
        raws = [bytes(row[0]).decode() for row in db.execute("SELECT raw FROM frames ORDER BY seq")]
    db.close()
    for order_id in (journal.run.part_filled, journal.run.at_market):
        told = json.loads(timeline(journal.path, "--order", order_id, "--json").stdout)
        shown = [moment["raw"] for moment in told["timeline"] if moment["kind"] == "frame"]
        assert shown == [raw for raw in raws if told["order"]["venue_order_id"] in raw]


def test_drawing(journal: Journal) -> None:
    shown = timeline(journal.path, "--order", journal.run.part_filled)
    assert shown.exit_code == 0
    assert lines(shown.stdout, journal.run.part_filled, "BUY 0.04 BTC-PERP", "CANCELED")
    assert lines(shown.stdout, "fill ratio 75%", "0.03 of 0.04", "6 events")
    (axis,) = [line for line in shown.stdout.splitlines() if line.startswith("framework")]
    assert [mark for mark in axis.removeprefix("framework") if mark.isalpha()] == ["S", "A", "F", "F", "c", "C"]
    assert len(lines(shown.stdout, "F │ Filled 0.0")) == 2
    assert "\x1b" not in shown.stdout


def test_list_for_people_can_be_shortened(journal: Journal) -> None:
    shown = timeline(journal.path, "--last", "1")
    assert lines(shown.stdout, "2 orders of account BSX-001, the last 1")
    assert lines(shown.stdout, journal.run.at_market, "FILLED", "0.03 (100%)")
    assert not lines(shown.stdout, journal.run.part_filled)


def test_order_by_venue_id(journal: Journal) -> None:
    venue_order_id = journal.run.sim.ledger.orders()[1].venue_order_id
    told = json.loads(timeline(journal.path, "--order", venue_order_id, "--json").stdout)
    assert told["order"]["client_order_id"] == journal.run.at_market


def test_as_a_process(journal: Journal) -> None:
    shown = run_command("timeline", str(journal.path), "--json")
    assert shown.returncode == 0
    assert json.loads(shown.stdout)["count"] == 2
    assert shown.stderr == ""


def test_unknown_order_is_told_with_those_there_are(journal: Journal) -> None:
    shown = timeline(journal.path, "--order", "O-none")
    assert shown.exit_code == 2
    assert f"error: no order 'O-none' in {journal.path}" in shown.stderr
    assert journal.run.at_market in shown.stderr


def test_missing_and_foreign_files_are_named(tmp_path: Path) -> None:
    shown = timeline(tmp_path / "none.sqlite")
    assert (shown.exit_code, shown.stdout) == (2, "")
    assert f"there is no journal {tmp_path / 'none.sqlite'}" in shown.stderr
    (tmp_path / "text").write_text("x" * 5000)
    shown = timeline(tmp_path / "text")
    assert shown.exit_code == 2
    assert "is not a readable journal" in shown.stderr
    assert timeline(tmp_path).exit_code == 2


# -- drawing -----------------------------------------------------------------------------------------------------------


def _life(gaps_ns: list[int]) -> list[timeline_view.Moment]:
    offsets = itertools.accumulate(gaps_ns, initial=0)
    frame = JournalFrame(0, "BSX", b"{}")
    return [
        timeline_view.Moment(at, frame if n % 2 else None, None if n % 2 else ev.OrderSubmitted())
        for n, at in enumerate(offsets)
    ]


@given(st.lists(st.integers(0, 10**15), max_size=60), st.integers(40, 200))
def test_every_moment_has_a_place_of_its_own_in_order(gaps_ns: list[int], width: int) -> None:
    life = _life(gaps_ns)
    places = timeline_view._places(life, width)
    assert places[0] == 0
    assert all(a < b for a, b in itertools.pairwise(places))
    assert places[-1] < max(width, len(life))
    marks = timeline_view._axis(life, width).plain.splitlines()[:2]
    assert sum(line[11:].count(mark) for line in marks for mark in "S•") == len(life)


def test_longer_wait_is_never_drawn_shorter() -> None:
    places = timeline_view._places(_life([1_000_000, 10_000_000, 100_000_000]), 100)
    first, second, third = (b - a for a, b in itertools.pairwise(places))
    assert first < second < third


def test_frame_in_a_line_shows_status_and_what_changed() -> None:
    before: dict[str, str] = {}
    frames = [
        {"type": "update", "orders": [{"id": "V1", "status": "OPEN", "price": "5", "filled": "0", "trades": []}]},
        {"type": "update", "orders": [{"id": "V1", "status": "OPEN", "price": "5", "filled": "2", "trades": [1, 2]}]},
    ]
    shown = [timeline_view.excerpt(msgspec.json.encode(frame), ["V1"], before) for frame in frames]
    assert shown == ["status=OPEN filled=0 price=5 trades=[0]", "status=OPEN filled=2 trades=[2]"]


def test_frame_that_is_no_json_is_shown_as_it_is() -> None:
    assert timeline_view.excerpt(b"heartbeat \xff V1", ["V1"], {}) == "heartbeat \\xff V1"
    assert timeline_view.excerpt(b"[" * 100_000, ["V1"], {}).startswith("[[[")


@pytest.mark.parametrize("event", ev.OrderEvent.__subclasses__())
def test_every_event_has_a_mark_and_a_description(event: type[ev.OrderEvent]) -> None:
    values = {"reason": "because", "venue_order_id": "V1", "trade_id": "T1", "what": "odd"}
    numbers = dict.fromkeys(("quantity", "last_qty", "last_px", "commission", "cum_qty", "qty"), "1.50")
    made = msgspec.convert({"event": event.__name__, **values, **numbers}, event)
    assert event in timeline_view._MARKS
    assert timeline_view.describe(made).startswith(event.__name__.removeprefix("Order"))


def test_order_without_frames_says_so(journal: Journal) -> None:
    from nautilus_orderfeeds.orders.journal_reader import JournalReader

    with JournalReader(journal.path) as reader:
        order = reader.orders()[0]
    console = Console(record=True, width=100, file=open("/dev/null", "w"))  # noqa: SIM115
    timeline_view.show(console, order, [])
    assert "No frame of the venue names this order" in console.export_text()
