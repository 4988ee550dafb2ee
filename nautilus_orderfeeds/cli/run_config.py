"""The configuration file of `orderfeeds run`: read, checked to the last key, and told by line what is wrong.

A file names venues, strategies and a few settings::

    trader_id = "RUNNER-001"

    [venues.bsx]                 # fields of BsxExecClientConfig and BsxDataClientConfig
    account = "001"

    [[strategies]]
    strategy = "strategies.market_maker:MarketMaker"
    [strategies.config]          # fields of MarketMakerConfig
    instrument_id = "BTC-PERP.BSX"
    order_qty = "0.01"

    [settings]
    log_level = "INFO"

JSON has the same structure. Numbers keep the digits they were written with: none goes through a float on its way to a
`Decimal`.
"""

import difflib
import json
import re
import tomllib
from collections.abc import Iterable
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any, Final, Literal

import msgspec
from msgspec import Struct, field, structs
from nautilus_trader.common.config import msgspec_decoding_hook, resolve_path

from nautilus_orderfeeds.cli.run_positions import Lines, Place, json_lines, line_of, toml_lines
from nautilus_orderfeeds.venues import registry

_AT: Final = re.compile(r" - at `\$(.*)`$")
#: Keys of a venue's table that hold fields of one of the two clients only.
_PARTS: Final = ("exec", "data")


class Problem(Struct, frozen=True):
    """One thing that is wrong in a file."""

    path: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.text}"


class ConfigProblems(Exception):
    """The file cannot be used; `problems` has every reason, by line."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        # A field that both clients of a venue have is checked for each.
        self.problems = sorted(dict.fromkeys(problems), key=lambda problem: problem.line)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class RunSettings(Struct, frozen=True, kw_only=True):
    """The `[settings]` of a file.

    Parameters
    ----------
    log_level : str
        Of the framework's log on stdout.
    log_directory : str, optional
        Where a log file is kept, at level `log_level_file`.
    log_level_file : str
    timeout_connection_secs : float
        How long connecting may take.
    timeout_post_stop_secs : float
        How long strategies have to cancel and close after they were stopped.
    """

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR", "OFF"] = "INFO"
    log_directory: str | None = None
    log_level_file: Literal["DEBUG", "INFO", "WARNING", "ERROR", "OFF"] = "INFO"
    timeout_connection_secs: float = 60.0
    timeout_post_stop_secs: float = 5.0


class SandboxSettings(Struct, frozen=True, kw_only=True):
    """The `[sandbox]` of a file.

    Parameters
    ----------
    starting_balances : dict[str, list[str]]
        Venue -> money of its account, ``["100000 USDC"]``.
    """

    starting_balances: dict[str, list[str]] = field(default_factory=dict)


class SimulateSettings(Struct, frozen=True, kw_only=True):
    """The `[simulate]` of a file.

    Parameters
    ----------
    seed : int
        Of the simulated markets.
    """

    seed: int = 7


class VenueSection(Struct, frozen=True):
    """One venue of a file.

    Parameters
    ----------
    entry : VenueEntry
    exec_fields, data_fields : dict[str, Any]
        Checked fields of its two configs.
    """

    entry: registry.VenueEntry
    exec_fields: dict[str, Any]
    data_fields: dict[str, Any]


class StrategySection(Struct, frozen=True):
    """One strategy of a file: its class and its config."""

    path: str
    strategy: Any
    config: Any


class RunConfig(Struct, frozen=True, kw_only=True):
    """A whole file, checked."""

    trader_id: str
    venues: list[VenueSection]
    strategies: list[StrategySection]
    settings: RunSettings
    sandbox: SandboxSettings
    simulate: SimulateSettings


_SECTIONS: Final = ("trader_id", "venues", "strategies", "settings", "sandbox", "simulate")
_TRADER: Final = re.compile(r"[A-Za-z0-9_]+-[A-Za-z0-9_]+")


def load(path: Path) -> RunConfig:
    """Read and check a file.

    Raises
    ------
    ConfigProblems
        With every problem found, each with its line.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as e:
        raise ConfigProblems([Problem(str(path), 1, f"cannot be read: {e.strerror}")]) from None
    except UnicodeDecodeError:
        raise ConfigProblems([Problem(str(path), 1, "is no UTF-8 text")]) from None
    if path.suffix.lower() == ".json":
        values, lines = _parse_json(str(path), text)
    elif path.suffix.lower() == ".toml":
        values, lines = _parse_toml(str(path), text)
    else:
        raise ConfigProblems([Problem(str(path), 1, f"is a {path.suffix or 'nameless'} file: expected .toml or .json")])
    return _Reader(str(path), lines).read(values)


def _parse_toml(path: str, text: str) -> tuple[Any, Lines]:
    try:
        values = tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as e:
        at = re.search(r"\(at line (\d+), column \d+\)", str(e))
        line = int(at[1]) if at else text.count("\n") + 1
        raise ConfigProblems([Problem(path, line, f"no valid TOML: {e}")]) from None
    return values, toml_lines(text)


def _parse_json(path: str, text: str) -> tuple[Any, Lines]:
    try:
        values = json.loads(text, parse_float=Decimal)
    except json.JSONDecodeError as e:
        raise ConfigProblems([Problem(path, e.lineno, f"no valid JSON: {e.msg} (column {e.colno})")]) from None
    try:
        lines = json_lines(text)
    except ValueError as e:
        line, _, reason = str(e).removeprefix("line ").partition(": ")
        raise ConfigProblems([Problem(path, int(line), reason)]) from None
    return values, lines


class _Reader:
    """Checks one parsed file and collects what is wrong."""

    def __init__(self, path: str, lines: Lines) -> None:
        self._path = path
        self._lines = lines
        self._problems: list[Problem] = []

    def read(self, values: Any) -> RunConfig:
        top = self._table(values, ())
        self._unknown(top, (), _SECTIONS)
        trader_id = top.get("trader_id", "RUNNER-001")
        if not isinstance(trader_id, str) or not _TRADER.fullmatch(trader_id):
            self._problem(("trader_id",), f"trader_id is {trader_id!r}: expected a name and a tag, like RUNNER-001")
        venues = self._venues(top)
        strategies = self._strategies(top)
        settings = self._struct(RunSettings, self._table(top.get("settings", {}), ("settings",)), ("settings",))
        sandbox = self._struct(SandboxSettings, self._table(top.get("sandbox", {}), ("sandbox",)), ("sandbox",))
        simulate = self._struct(SimulateSettings, self._table(top.get("simulate", {}), ("simulate",)), ("simulate",))
        self._match(venues, strategies, sandbox)
        if self._problems:
            raise ConfigProblems(self._problems)
        return RunConfig(
            trader_id=trader_id,
            venues=venues,
            strategies=strategies,
            settings=settings,
            sandbox=sandbox,
            simulate=simulate,
        )

    # -- venues ----------------------------------------------------------------------------------------------------

    def _venues(self, top: dict[str, Any]) -> list[VenueSection]:
        tables = self._table(top.get("venues", {}), ("venues",))
        if not tables:
            self._problem(("venues",), "no venue is named: expected a table [venues.NAME] for each")
        found = [self._venue(name, tables[name]) for name in tables]
        return [venue for venue in found if venue is not None]

    def _venue(self, name: str, value: Any) -> VenueSection | None:
        place = ("venues", name)
        try:
            entry = registry.load(name)
        except registry.VenueUnavailable as e:
            self._problem(place, f"{e}{_suggestion(name, registry.names())}")
            return None
        table = self._table(value, place)
        exec_names, data_names = _names(entry.exec_config), _names(entry.data_config)
        parts = {part: self._table(table.get(part, {}), (*place, part)) for part in _PARTS}
        shared = {key: value for key, value in table.items() if key not in _PARTS}
        self._unknown(shared, place, [*dict.fromkeys([*exec_names, *data_names]), *_PARTS])
        self._unknown(parts["exec"], (*place, "exec"), exec_names)
        self._unknown(parts["data"], (*place, "data"), data_names)
        return VenueSection(
            entry,
            {
                **self._fields(entry.exec_config, shared, place),
                **self._fields(entry.exec_config, parts["exec"], (*place, "exec")),
            },
            {
                **self._fields(entry.data_config, shared, place),
                **self._fields(entry.data_config, parts["data"], (*place, "data")),
            },
        )

    # -- strategies ------------------------------------------------------------------------------------------------

    def _strategies(self, top: dict[str, Any]) -> list[StrategySection]:
        tables = top.get("strategies", [])
        if not isinstance(tables, list) or not tables:
            self._problem(("strategies",), "no strategy is named: expected [[strategies]] with a `strategy` each")
            return []
        found = [self._strategy(table, ("strategies", index)) for index, table in enumerate(tables)]
        return [strategy for strategy in found if strategy is not None]

    def _strategy(self, value: Any, place: Place) -> StrategySection | None:
        table = self._table(value, place)
        self._unknown(table, place, ("strategy", "config_class", "config"))
        path = table.get("strategy")
        if not isinstance(path, str):
            self._problem((*place, "strategy"), 'strategy is missing: expected "package.module:Class"')
            return None
        strategy = self._resolve(path, (*place, "strategy"))
        config_class = self._resolve(table.get("config_class", f"{path}Config"), (*place, "config_class"))
        if strategy is None or config_class is None:
            return None
        where = (*place, "config")
        values = self._table(table.get("config", {}), where)
        config = self._struct(config_class, values, where)
        return None if config is None else StrategySection(path, strategy, config)

    def _resolve(self, path: Any, place: Place) -> Any:
        try:
            if not isinstance(path, str) or ":" not in path:
                raise ValueError('expected "package.module:Class"')
            return resolve_path(path)
        except (ImportError, AttributeError, ValueError) as e:
            self._problem(place, f"{path!r} cannot be imported: {e}")
            return None

    def _match(
        self, venues: list[VenueSection], strategies: list[StrategySection], sandbox: SandboxSettings | None
    ) -> None:
        """Every instrument of a strategy is traded at a venue of the file; no two strategies have one id."""
        if self._problems:
            return  # half a file would give misleading reasons
        known = {venue.entry.client_name: venue.entry.name for venue in venues}
        tags: dict[str | None, int] = {}
        for index, section in enumerate(strategies):
            instrument_id = getattr(section.config, "instrument_id", None)
            if instrument_id is not None and instrument_id.venue.value not in known:
                self._problem(
                    ("strategies", index, "config", "instrument_id"),
                    f"{instrument_id} is no instrument of {', '.join(known)}: expected SYMBOL.VENUE of a venue in "
                    "this file",
                )
            tag = section.config.order_id_tag
            if tag is not None and tag in tags:
                place = ("strategies", index, "config", "order_id_tag")
                self._problem(place, f"order_id_tag {tag!r} is that of strategy {tags[tag] + 1}, too: expected another")
            tags.setdefault(tag, index)
        for name in sandbox.starting_balances if sandbox is not None else ():
            if name not in known.values():
                self._problem(
                    ("sandbox", "starting_balances", name), f"{name!r} is no venue of this file: {list(known.values())}"
                )

    # -- pieces ----------------------------------------------------------------------------------------------------

    def _problem(self, place: Place, text: str) -> None:
        self._problems.append(Problem(self._path, line_of(self._lines, place), text))

    def _table(self, value: Any, place: Place) -> dict[str, Any]:
        if isinstance(value, dict):
            return value
        self._problem(place, f"{_dotted(place) or 'the file'} is a {_kind(value)}: expected a table of keys and values")
        return {}

    def _unknown(self, table: dict[str, Any], place: Place, known: Iterable[str]) -> None:
        names = list(known)
        for key in table:
            if key not in names:
                where = f" in [{_dotted(place)}]" if place else ""
                self._problem((*place, key), f"unknown key {key!r}{where}{_suggestion(key, names)}")

    def _fields(self, config: Any, table: dict[str, Any], place: Place) -> dict[str, Any]:
        """Return those values of a table that are fields of `config`, converted one by one."""
        found: dict[str, Any] = {}
        for known in structs.fields(config):
            if known.name not in table:
                continue
            value = table[known.name]
            try:
                found[known.name] = msgspec.convert(value, known.type, dec_hook=msgspec_decoding_hook)
            except (msgspec.ValidationError, ValueError, TypeError, KeyError) as e:
                self._wrong((*place, known.name), known.type, e)
        return found

    def _wrong(self, place: Place, kind: Any, error: Exception) -> None:
        text = str(error)
        if found := _AT.search(text):
            text = text[: found.start()]
            for key, index in re.findall(r"\.(\w+)|\[(\d+)\]", found[1]):
                place = (*place, key or int(index))
        if choices := _choices(kind):
            text = f"{text} (expected one of {', '.join(choices)})"
        self._problem(place, f"{_dotted(place)}: {text}")

    def _struct(self, kind: Any, table: dict[str, Any], place: Place) -> Any:
        self._unknown(table, place, _names(kind))
        before = len(self._problems)
        values = self._fields(kind, table, place)
        for known in structs.fields(kind):
            if known.required and known.name not in table:
                self._problem(place, f"{_dotted(place)} lacks {known.name!r} ({_type_name(known.type)})")
        if len(self._problems) > before or any(key not in _names(kind) for key in table):
            return None
        try:
            return kind(**values)
        except (ValueError, TypeError) as e:
            self._problem(place, f"{_dotted(place)}: {e}")
            return None


def _names(kind: Any) -> list[str]:
    return [known.name for known in structs.fields(kind)]


def _choices(kind: Any) -> list[str]:
    return [str(member.value) for member in kind] if isinstance(kind, type) and issubclass(kind, Enum) else []


def _type_name(kind: Any) -> str:
    return kind.__name__ if isinstance(kind, type) else str(kind).replace("typing.", "")


def _dotted(place: Place) -> str:
    return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in place).removeprefix(".")


def _kind(value: Any) -> str:
    names: dict[type, str] = {str: "text", bool: "truth value", int: "number", Decimal: "number", list: "list"}
    return names.get(type(value), type(value).__name__)


def _suggestion(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(known), 1)
    return f"; did you mean {near[0]!r}?" if near else ""
