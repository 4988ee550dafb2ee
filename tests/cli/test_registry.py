"""Which venues there are is read off the folders."""

from pathlib import Path

import pytest

from nautilus_orderfeeds import venues
from nautilus_orderfeeds.venues import registry


def test_every_folder_with_a_door_is_a_venue() -> None:
    root = Path(venues.__path__[0])
    assert "bsx" in registry.names()
    assert registry.names() == sorted(path.parent.name for path in root.glob("*/door.py"))


def test_entry_finds_all_public_names() -> None:
    from nautilus_orderfeeds.venues import bsx

    entry = registry.load("BSX")
    assert entry.name == "bsx"
    assert entry.prefix == "Bsx"
    assert entry.client_name == "BSX"
    assert entry.door is bsx.DOOR
    assert entry.capabilities is bsx.DOOR.capabilities
    assert entry.exec_config is bsx.BsxExecClientConfig
    assert entry.data_config is bsx.BsxDataClientConfig
    assert entry.exec_factory is bsx.BsxLiveExecClientFactory
    assert entry.data_factory is bsx.BsxLiveDataClientFactory


def test_unknown_venue_is_named_together_with_what_there_is() -> None:
    with pytest.raises(registry.VenueUnavailable, match=r"no venue 'moon'; there are: .*bsx"):
        registry.load("moon")


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("raise RuntimeError('half built')", "venue half cannot be loaded: RuntimeError: half built"),
        ("", "venue half has no door"),
        (
            "__all__ = ['DOOR', 'HalfExecClientConfig']\ndef __getattr__(name):\n    import no_such_module\n",
            "venue half cannot be loaded: ModuleNotFoundError",
        ),
    ],
)
def test_broken_venue_does_not_hide_the_others(
    source: str, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "half").mkdir()
    (tmp_path / "half" / "__init__.py").write_text(source)
    (tmp_path / "half" / "door.py").touch()
    monkeypatch.setattr(venues, "__path__", [*venues.__path__, str(tmp_path)])
    monkeypatch.delitem(__import__("sys").modules, "nautilus_orderfeeds.venues.half", raising=False)

    found = list(registry.load_all())
    entries = [entry.name for entry in found if isinstance(entry, registry.VenueEntry)]
    assert "bsx" in entries
    assert "half" not in entries
    assert any(reason in str(one) for one in found)
