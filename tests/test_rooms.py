"""The import rule of the design: each room knows only the rooms before it, and the core runs without the framework."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "nautilus_orderfeeds"
ROOT = PACKAGE.name
ROOMS = ("orders", "feed", "venues", "adapter", "sim", "cli", "analysis")
#: room -> rooms it may import
MAY = {
    "orders": {"orders"},
    "feed": {"orders", "feed"},
    "venues": {"orders", "feed", "venues"},
    "adapter": {"orders", "feed", "venues", "adapter"},
    "sim": {"sim"},
    "analysis": {"orders", "analysis"},
    "cli": set(ROOMS),
}
DOOR_MAY = {"orders", "feed", "venues", "adapter"}
TWIN_MAY = {"sim", "venues"}


def imports(path: Path) -> set[str]:
    """Return the modules a file imports when it runs (imports for type checkers only do not count)."""
    found: set[str] = set()
    pending: list[ast.AST] = [ast.parse(path.read_text())]
    while pending:
        node = pending.pop()
        match node:
            case ast.If(test=ast.Name(id="TYPE_CHECKING")):
                pending.extend(node.orelse)
                continue
            case ast.Import():
                found.update(alias.name for alias in node.names)
            case ast.ImportFrom(module=str(module)):
                found.add(module)
                found.update(f"{module}.{alias.name}" for alias in node.names)
        pending.extend(ast.iter_child_nodes(node))
    return found


def files() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def is_twin(path: Path) -> bool:
    return path.parent.parent.name == "venues" and path.stem.split("_")[0] == "twin"


def is_door(path: Path) -> bool:
    return path.parent.parent.name == "venues" and path.stem == "door"


@pytest.mark.parametrize("path", files(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_room_knows_only_the_rooms_before_it(path: Path) -> None:
    room = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    if room not in ROOMS:
        return
    may = DOOR_MAY if is_door(path) else TWIN_MAY if is_twin(path) else MAY[room]
    for module in imports(path):
        parts = module.split(".")
        if parts[0] == ROOT and len(parts) > 1 and parts[1] in ROOMS:
            assert parts[1] in may, f"{path.relative_to(PACKAGE)} may not import {module}"
        if parts[0] == "nautilus_trader":
            assert room in ("adapter", "cli") or is_door(path), f"{path.relative_to(PACKAGE)} imports the framework"


@pytest.mark.parametrize("path", files(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_generic_rooms_name_no_venue_and_venues_not_each_other(path: Path) -> None:
    parts = path.relative_to(PACKAGE).parts
    own = parts[1] if parts[0] == "venues" and len(parts) > 2 else None
    venues = {p.parent.name for p in PACKAGE.glob("venues/*/__init__.py")}
    for module in imports(path):
        names = module.split(".")
        if names[:2] == [ROOT, "venues"] and len(names) > 2 and names[2] in venues and parts[0] != "cli":
            assert names[2] == own, f"{path.relative_to(PACKAGE)} may not know {module}"


def test_core_runs_without_the_framework() -> None:
    """Orders, feed, venues (but their doors) and the simulated venues, with `nautilus_trader` made unimportable."""
    modules = [
        ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")
        for path in files()
        if path.relative_to(PACKAGE).parts[0] in ("orders", "feed", "venues", "sim")
        and not is_door(path)
        and path.stem != "__main__"
    ]
    code = (
        "import sys, importlib\n"
        "sys.modules['nautilus_trader'] = None\n"
        f"for name in {modules!r}:\n"
        "    importlib.import_module(name)\n"
        "assert not [m for m in sys.modules if m.startswith('nautilus_orderfeeds.adapter')]\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
