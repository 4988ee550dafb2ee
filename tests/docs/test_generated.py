"""The tables and diagrams of the docs come from the code, and are up to date."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from nautilus_orderfeeds.venues import registry

ROOT = Path(__file__).parents[2]


def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_generate", ROOT / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_pages_are_up_to_date() -> None:
    for path, text in generator().pages().items():
        assert path.read_text() == text, f"{path.relative_to(ROOT)}: run `python docs/generate.py`"


@pytest.mark.parametrize("venue", registry.names())
def test_every_config_field_is_described(venue: str) -> None:
    entry = registry.load(venue)
    for config in (entry.data_config, entry.exec_config):
        meanings = generator()._meanings(config)
        for field in config.__struct_fields__:
            assert meanings.get(field), f"{config.__name__}.{field} has no description in its docstring"


@pytest.mark.parametrize("venue", registry.names())
def test_every_capability_has_evidence(venue: str) -> None:
    capabilities = registry.load(venue).capabilities
    for support in (*capabilities.order_types.values(), *capabilities.features.values(), *capabilities.data.values()):
        assert support.evidence is not None
