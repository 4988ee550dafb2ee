"""`orderfeeds venues`: what each venue can do, and how well we know it."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import click
from rich.table import Table
from rich.text import Text

from nautilus_orderfeeds.cli.completion import complete_venue
from nautilus_orderfeeds.cli.console import EXIT_BAD, EXIT_CODES, EXIT_OK, CliError, busy, err, out, print_json
from nautilus_orderfeeds.feed.market import Channel
from nautilus_orderfeeds.orders.words import OrderType, TimeInForce
from nautilus_orderfeeds.venues import registry
from nautilus_orderfeeds.venues.capabilities import Capabilities, Evidence, Feature, Support
from nautilus_orderfeeds.version import __version__

#: Grade of a piece of evidence, strongest first.
_GRADES: Final = {
    Evidence.VENUE_PAGE: "A",
    Evidence.DOCUMENTATION: "B",
    Evidence.CLIENT_CODE: "C",
    Evidence.INFERRED: "D",
}
_LEGEND: Final = ", ".join(f"{grade} {evidence.value}" for evidence, grade in _GRADES.items())


@click.command(epilog=EXIT_CODES)
@click.argument("names", nargs=-1, metavar="[VENUE]...", shell_complete=complete_venue)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, with a note on each capability.")
def command(names: tuple[str, ...], as_json: bool) -> None:
    """Show what each VENUE can do (default: all), with the grade of evidence for it.

    What is not supported is denied by the adapter before it is sent. One venue alone is shown with notes.
    """
    with busy("loading the framework", quiet=as_json):
        found = _found(names)
    entries = [entry for entry in found if isinstance(entry, registry.VenueEntry)]
    unavailable = [str(reason) for reason in found if not isinstance(reason, registry.VenueEntry)]
    if as_json:
        listed = [as_dict(entry) for entry in entries]
        print_json({"version": __version__, "venues": listed, "unavailable": unavailable})
    else:
        console = out()
        console.print(f"orderfeeds {__version__}", style="dim")
        if entries:
            console.print(_notes(entries[0]) if len(entries) == 1 and names else _matrix(entries))
            console.print(f"✓ supported, - not; evidence: {_LEGEND}", style="dim")
        for reason in unavailable:
            err().print(f"left out: {reason}", style="yellow", markup=False, soft_wrap=True)
    raise SystemExit(EXIT_OK if entries else EXIT_BAD)


def _found(names: Sequence[str]) -> list[registry.VenueEntry | registry.VenueUnavailable]:
    if not names:
        return list(registry.load_all())
    try:
        return [registry.load(name) for name in dict.fromkeys(name.lower() for name in names)]
    except registry.VenueUnavailable as e:
        raise CliError(str(e)) from None


Section = tuple[str, Sequence[tuple[str, Support | None]]]


def sections(can: Capabilities) -> list[Section]:
    """Return everything a venue may be able to do, in groups, with the support of each (None: not mentioned)."""
    forces = [
        (f"{kind.name} {force.name}", can.time_in_force.get(kind, {}).get(force))
        for kind in OrderType
        for force in TimeInForce
    ]
    return [
        ("order types", [(kind.name, can.order_types.get(kind)) for kind in OrderType]),
        ("time in force", forces),
        ("features", [(feature.value, can.features.get(feature)) for feature in Feature]),
        ("market data", [(channel.name.lower().replace("_", " "), can.data.get(channel)) for channel in Channel]),
    ]


def _matrix(entries: Sequence[registry.VenueEntry]) -> Table:
    table = Table(header_style="bold")
    table.add_column("", no_wrap=True)
    for entry in entries:
        table.add_column(entry.client_name, justify="center")
    kinds = [entry.door.account_type.name for entry in entries]
    table.add_row("account", *kinds)
    table.add_row("environments", *(", ".join(entry.door.environments) for entry in entries), end_section=True)
    by_venue = [sections(entry.capabilities) for entry in entries]
    for number, (title, rows) in enumerate(by_venue[0]):
        table.add_row(Text(title, style="bold"))
        for row, (name, _) in enumerate(rows):
            supports = [venue[number][1][row][1] for venue in by_venue]
            if any(support is not None for support in supports):
                table.add_row(f"  {name}", *(_cell(support) for support in supports))
        table.add_section()
    return table


def _cell(support: Support | None) -> Text:
    if support is None:
        return Text("-", style="dim")
    grade = _GRADES[support.evidence]
    return Text(f"✓ {grade}", style="green") if support.supported else Text(f"- {grade}", style="dim")


def _notes(entry: registry.VenueEntry) -> Table:
    table = Table(title=entry.client_name, header_style="bold", expand=True)
    table.add_column("", no_wrap=True)
    table.add_column("", no_wrap=True)
    table.add_column("note", ratio=1)
    for title, rows in sections(entry.capabilities):
        table.add_row(Text(title, style="bold"))
        for name, support in rows:
            if support is not None:
                table.add_row(f"  {name}", _cell(support), support.note)
        table.add_section()
    if entry.capabilities.params:
        table.add_row(Text("params of a command", style="bold"))
        for key, param in entry.capabilities.params.items():
            allowed = ", ".join(map(str, param.values)) or param.kind.__name__
            table.add_row(f"  {key}", "", f"{param.about} ({allowed})")
    return table


def as_dict(entry: registry.VenueEntry) -> dict[str, Any]:
    """Return a venue and its capabilities as plain values."""
    can = entry.capabilities
    return {
        "name": entry.name,
        "venue": entry.client_name,
        "account_type": entry.door.account_type.name,
        "environments": list(entry.door.environments),
        "order_types": _plain(can.order_types),
        "time_in_force": {kind.name: _plain(forces) for kind, forces in can.time_in_force.items()},
        "features": _plain(can.features),
        "market_data": _plain(can.data),
        "post_only_with": sorted(f"{kind.name} {force.name}" for kind, force in can.post_only_with),
        "reduce_only_with": sorted(kind.name for kind in can.reduce_only_with),
        "trigger_types": sorted(trigger.name for trigger in can.trigger_types),
        "params": {
            key: {"about": param.about, "type": param.kind.__name__, "values": list(param.values)}
            for key, param in can.params.items()
        },
    }


def _plain(supports: Mapping[Any, Support]) -> dict[str, dict[str, Any]]:
    return {
        member.name: {
            "supported": s.supported,
            "evidence": s.evidence.value,
            "grade": _GRADES[s.evidence],
            "note": s.note,
        }
        for member, s in supports.items()
    }
