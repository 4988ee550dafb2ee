"""`orderfeeds check`: is everything there that trading at a venue needs?"""

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Final

import click
import msgspec

from nautilus_orderfeeds.cli.completion import complete_venue
from nautilus_orderfeeds.cli.console import (
    EXIT_BAD,
    EXIT_CODES,
    EXIT_OK,
    busy,
    out,
    print_json,
    run_async,
)
from nautilus_orderfeeds.cli.venue_options import (
    address_options,
    extra_fields,
    instruments_option,
    load_venue,
    make_config,
    settings_option,
)

if TYPE_CHECKING:
    from nautilus_orderfeeds.cli.preflight import Finding

_MARKS: Final = {
    "ok": ("✓", "green"),
    "warning": ("!", "yellow"),
    "failed": ("✗", "bold red"),
    "skipped": ("-", "dim"),
}


@click.command(epilog=EXIT_CODES)
@click.argument("venue", shell_complete=complete_venue)
@address_options
@instruments_option
@settings_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(
    venue: str,
    environment: str | None,
    base_url_http: str | None,
    base_url_ws: str | None,
    instruments: str | None,
    extra: tuple[str, ...],
    as_json: bool,
) -> None:
    """Check credentials, clock, login and feed of a VENUE; send no order.

    Credentials come from the environment (VENUE_API_KEY and so on, as in the docs of each venue) and are shown nowhere.
    Every line is ok or says what to do.
    """
    entry = load_venue(venue, quiet=as_json)
    with busy("loading the framework", quiet=as_json):
        from nautilus_orderfeeds.cli.preflight import Preflight, Verdict
    given = {
        "environment": environment,
        "base_url_http": base_url_http,
        "base_url_ws": base_url_ws,
        "instruments": instruments,
    }
    fields = given | extra_fields(entry, extra)
    exec_config = make_config(entry.exec_config, fields)
    data_config = make_config(entry.data_config, fields)
    console = out()

    def report(finding: "Finding") -> None:
        if as_json:
            return
        mark, style = _MARKS[finding.verdict.value]
        console.print(f"{mark} {finding.name:<13} {finding.detail}", style=style, markup=False, soft_wrap=True)
        if finding.advice:
            console.print(f"  {'':<13} → {finding.advice}", style=style, markup=False, soft_wrap=True)

    def waiting(what: str) -> AbstractContextManager[None]:
        return busy(what, quiet=as_json)

    findings = run_async(Preflight(entry, exec_config, data_config, report, waiting).run())
    is_ok = all(finding.verdict in (Verdict.OK, Verdict.WARNING) for finding in findings)
    if as_json:
        where = getattr(exec_config, "environment", "live")
        checks = [msgspec.to_builtins(finding) for finding in findings]
        print_json({"venue": entry.name, "environment": where, "ok": is_ok, "checks": checks})
    elif is_ok:
        console.print(f"{entry.client_name} is ready", style="bold green")
    else:
        console.print(f"{entry.client_name} is not ready", style="bold red")
    raise SystemExit(EXIT_OK if is_ok else EXIT_BAD)
