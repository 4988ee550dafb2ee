"""Writes the parts of the docs that come from code: capability and configuration tables, the state diagram.

``python docs/generate.py`` rewrites the pages; ``tests/docs`` checks that they are up to date.
"""

import sys
from collections.abc import Iterator, Mapping
from enum import Enum
from pathlib import Path
from typing import Any

import click

from nautilus_orderfeeds.cli import cli
from nautilus_orderfeeds.orders.transitions import to_mermaid
from nautilus_orderfeeds.venues import registry
from nautilus_orderfeeds.venues.capabilities import Capabilities, Support

DOCS = Path(__file__).parent

#: Added to a page that has no place for its configuration yet.
_CONFIGURATION = """
## Configuration fields

### Data client

<!-- data-config:begin -->
<!-- data-config:end -->

### Execution client

<!-- exec-config:begin -->
<!-- exec-config:end -->
"""


def _row(name: str, support: Support) -> str:
    return f"| {name} | {'yes' if support.supported else 'no'} | {support.evidence.value} | {support.note} |"


def _table(title: str, rows: Iterator[str]) -> list[str]:
    return [f"**{title}**", "", "| | supported | evidence | note |", "|---|---|---|---|", *rows, ""]


def _rows(supports: Mapping[Any, Support]) -> Iterator[str]:
    for key, support in supports.items():
        label = key.value if isinstance(key, Enum) else str(key)
        yield _row(f"`{key.name}`" if label == key.name else label, support)


def capability_tables(capabilities: Capabilities) -> str:
    """Return the tables of one venue as Markdown."""
    lines = _table("Order types", _rows(capabilities.order_types))
    times = (
        _row(f"`{order_type.name}` `{tif.name}`", support)
        for order_type, forces in capabilities.time_in_force.items()
        for tif, support in forces.items()
    )
    lines += _table("Time in force", times)
    lines += _table("Instructions, commands and queries", _rows(capabilities.features))
    lines += _table("Market data", _rows(capabilities.data))
    lines += ["**Order `params`** (an unknown key is denied)", "", "| key | values | meaning |", "|---|---|---|"]
    for key, param in capabilities.params.items():
        values = ", ".join(f"`{value}`" for value in param.values) or f"any `{param.kind.__name__}`"
        lines.append(f"| `{key}` | {values} | {param.about} |")
    if not capabilities.params:
        lines.append("| none | | |")
    return "\n".join(lines).rstrip() + "\n"


def _meanings(config: type) -> dict[str, str]:
    """Return what the docstrings of a config class and its bases say of each field."""
    found: dict[str, str] = {}
    for cls in reversed(config.__mro__):
        lines = (cls.__doc__ or "").splitlines()
        for n, line in enumerate(lines):
            names, colon, _ = line.strip().partition(" : ")
            if not colon or not line.startswith("    "):
                continue
            text: list[str] = []
            for following in lines[n + 1 :]:
                if not following.startswith("        "):
                    break
                text.append(following.strip())
            for name in names.split(","):
                found[name.strip()] = " ".join(text)
    return found


def config_table(config: Any) -> str:
    """Return the fields of one config class as Markdown."""
    meanings = _meanings(config)
    lines = ["| option | default | description |", "|---|---|---|"]
    defaults = dict(
        zip(config.__struct_fields__[-len(config.__struct_defaults__) :], config.__struct_defaults__, strict=True)
    )
    for name in config.__struct_fields__:
        default = defaults.get(name, "required")
        shown = "see the framework" if name in ("instrument_provider", "routing") else f"`{default!r}`"
        meaning = meanings.get(name, "").replace("|", "\\|").replace("``", "`")
        lines.append(f"| `{name}` | {shown} | {meaning} |")
    return "\n".join(lines) + "\n"


def option_table(command: click.Command) -> str:
    """Return the arguments and options of one command as Markdown."""
    context = click.Context(command, info_name=command.name)
    lines = ["| option | default | description |", "|---|---|---|"]
    for param in command.params:
        if isinstance(param, click.Argument):
            lines.append(f"| `{param.make_metavar(context)}` | | argument |")
            continue
        record = param.get_help_record(context)
        assert isinstance(param, click.Option)
        assert record is not None
        default = "" if param.is_flag or param.default in (None, (), "") else f"`{param.default}`"
        default = default if isinstance(param.default, int | float | str) else ""
        lines.append(f"| `{record[0]}` | {default} | {(param.help or '').replace('|', chr(92) + '|')} |")
    return "\n".join(lines) + "\n"


def command_page(text: str) -> str:
    """Return the page of the command with the tables of every subcommand; one that has no section yet gets it."""
    for name in cli.list_commands(click.Context(cli)):
        command = cli.get_command(click.Context(cli), name)
        assert command is not None
        if f"<!-- options-{name}:begin -->" not in text:
            about = (command.help or "").split("\n\n")[0]
            markers = f"<!-- options-{name}:begin -->\n<!-- options-{name}:end -->\n"
            text = f"{text.rstrip()}\n\n## orderfeeds {name}\n\n{about}\n\n{markers}"
        text = replaced(text, f"options-{name}", option_table(command))
    return text


def replaced(text: str, mark: str, content: str) -> str:
    """Return `text` with everything between the two markers of `mark` replaced."""
    begin, end = f"<!-- {mark}:begin -->", f"<!-- {mark}:end -->"
    if begin not in text or end not in text:
        raise ValueError(f"markers {begin} ... {end} are missing")
    head, rest = text.split(begin, 1)
    _, tail = rest.split(end, 1)
    return f"{head}{begin}\n\n{content}\n{end}{tail}"


def pages() -> dict[Path, str]:
    """Return every generated page as it should be."""
    made: dict[Path, str] = {}
    for name in registry.names():
        path = DOCS / "venues" / f"{name}.md"
        venue = registry.load(name)
        text = path.read_text()
        text = replaced(text, "capabilities", capability_tables(venue.capabilities))
        if "<!-- exec-config:begin -->" not in text:
            text += _CONFIGURATION
        text = replaced(text, "data-config", config_table(venue.data_config))
        text = replaced(text, "exec-config", config_table(venue.exec_config))
        made[path] = text
    command = DOCS / "command.md"
    made[command] = command_page(command.read_text())
    events = DOCS / "updates-to-events.md"
    made[events] = replaced(events.read_text(), "states", f"```mermaid\n{to_mermaid()}```\n")
    return made


def main() -> int:
    """Write the pages."""
    for path, text in pages().items():
        if path.read_text() != text:
            path.write_text(text)
            sys.stdout.write(f"wrote {path.relative_to(DOCS.parent)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
