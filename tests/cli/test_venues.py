"""`orderfeeds venues` shows what the doors say, no more and no less."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from nautilus_orderfeeds import venues
from nautilus_orderfeeds.cli import cli
from nautilus_orderfeeds.orders.words import OrderType, TimeInForce
from nautilus_orderfeeds.venues import registry
from nautilus_orderfeeds.venues.capabilities import Feature
from nautilus_orderfeeds.version import __version__
from tests.support.cli_runs import lines

ENTRIES = [entry for entry in registry.load_all() if isinstance(entry, registry.VenueEntry)]


def test_json_is_what_the_doors_say() -> None:
    told = json.loads(CliRunner().invoke(cli, ["venues", "--json"]).stdout)
    assert told["version"] == __version__
    assert [venue["name"] for venue in told["venues"]] == [entry.name for entry in ENTRIES]
    for venue, entry in zip(told["venues"], ENTRIES, strict=True):
        can = entry.capabilities
        assert venue["order_types"].keys() == {kind.name for kind in can.order_types}
        for name, support in venue["features"].items():
            true = can.features[Feature[name]]
            assert (support["supported"], support["note"]) == (true.supported, true.note)
            assert support["evidence"] == true.evidence.value
        for kind, forces in venue["time_in_force"].items():
            for force, support in forces.items():
                assert support["supported"] == can.time_in_force[OrderType[kind]][TimeInForce[force]].supported


def test_table_has_every_venue_and_the_evidence() -> None:
    shown = CliRunner().invoke(cli, ["venues"])
    assert shown.exit_code == 0
    header = lines(shown.stdout, *(entry.client_name for entry in ENTRIES))
    assert header
    assert "evidence: A venue page, B other documentation, C client code, D inferred" in shown.stdout
    assert lines(shown.stdout, "LIMIT GTC", "✓")


def test_one_venue_is_shown_with_notes() -> None:
    shown = CliRunner().invoke(cli, ["venues", "BSX"])
    assert lines(shown.stdout, "modify", "- C", "no amend call; cancel and submit anew")
    assert lines(shown.stdout, "stp", "which of two own orders")
    assert "CANCEL_MAKER" in shown.stdout


def test_unknown_venue() -> None:
    shown = CliRunner().invoke(cli, ["venues", "moon"])
    assert shown.exit_code == 2
    assert "error: no venue 'moon'; there are:" in shown.stderr


def test_venue_that_cannot_be_loaded_is_told_and_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "__init__.py").write_text("raise RuntimeError('half built')")
    (tmp_path / "broken" / "door.py").touch()
    monkeypatch.setattr(venues, "__path__", [*venues.__path__, str(tmp_path)])
    shown = CliRunner().invoke(cli, ["venues", "--json"])
    assert shown.exit_code == 0
    told = json.loads(shown.stdout)
    assert "venue broken cannot be loaded: RuntimeError: half built" in told["unavailable"]
    assert "bsx" in [venue["name"] for venue in told["venues"]]
