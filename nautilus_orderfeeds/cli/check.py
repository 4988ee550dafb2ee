"""`orderfeeds check`: is everything there that trading at a venue needs?"""

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import click
import msgspec

from nautilus_orderfeeds.cli.console import (
    EXIT_BAD,
    EXIT_CODES,
    EXIT_OK,
    CliError,
    busy,
    out,
    print_json,
    run_async,
)
from nautilus_orderfeeds.venues import registry

if TYPE_CHECKING:
    from nautilus_orderfeeds.cli.preflight import Finding

_MARKS: Final = {
    "ok": ("✓", "green"),
    "warning": ("!", "yellow"),
    "failed": ("✗", "bold red"),
    "skipped": ("-", "dim"),
}
#: Fields that this command fills itself, or that mean nothing to it.
_OWN_OPTIONS: Final = {
    "environment": "--environment",
    "base_url_http": "--base-url-http",
    "base_url_ws": "--base-url-ws",
    "instruments": "--instruments",
}


def _url(scheme: str) -> Callable[[click.Context, click.Parameter, str | None], str | None]:
    """Return a check that an option is a URL of a scheme or its encrypted form."""

    def checked(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
        if value is None or (urlsplit(value).scheme in (scheme, f"{scheme}s") and urlsplit(value).netloc):
            return value
        raise click.BadParameter(f"{value!r} is no {scheme}:// or {scheme}s:// URL")

    return checked


@click.command(epilog=EXIT_CODES)
@click.argument("venue")
@click.option("--environment", help="live (default), or the name of the venue's test environment.")
@click.option("--base-url-http", metavar="URL", callback=_url("http"), help="Replaces the venue's REST address.")
@click.option("--base-url-ws", metavar="URL", callback=_url("ws"), help="Replaces the address of its stream.")
@click.option("--instruments", metavar="FILE", help="JSON list of instruments, for a venue that lists none.")
@click.option("--option", "extra", multiple=True, metavar="NAME=VALUE", help="Another field of its exec config.")
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
    with busy("loading the framework", quiet=as_json):
        try:
            entry = registry.load(venue)
        except registry.VenueUnavailable as e:
            raise CliError(str(e)) from None
        from nautilus_orderfeeds.cli.preflight import Preflight, Verdict
    given = {
        "environment": environment,
        "base_url_http": base_url_http,
        "base_url_ws": base_url_ws,
        "instruments": instruments,
    }
    fields = {name: value for name, value in given.items() if value is not None} | _extra_fields(entry, extra)
    exec_config = _config(entry.exec_config, fields)
    data_config = _config(entry.data_config, fields)
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


def _extra_fields(entry: registry.VenueEntry, extra: tuple[str, ...]) -> dict[str, Any]:
    from nautilus_orderfeeds.adapter.credentials import env_name

    found: dict[str, Any] = {}
    for text in extra:
        name, separator, value = text.partition("=")
        if not separator:
            raise CliError(f"--option {name}: expected NAME=VALUE")
        if name in entry.exec_config.SECRETS:
            variable = env_name(entry.client_name, name, "live")
            raise CliError(f"--option {name}: secrets are not taken from the command line; set {variable}")
        if name in _OWN_OPTIONS:
            raise CliError(f"--option {name}: use {_OWN_OPTIONS[name]}")
        if name not in entry.exec_config.__struct_fields__:
            raise CliError(f"--option {name}: {entry.exec_config.__name__} has no such field")
        found[name] = _value(value)
    return found


def _value(text: str) -> Any:
    """Return a value given as JSON; what is no JSON is text."""
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


def _config(kind: Any, fields: dict[str, Any]) -> Any:
    """Make a config of those fields that its class has."""
    taken = {name: value for name, value in fields.items() if name in kind.__struct_fields__}
    try:
        return msgspec.convert(taken, kind, strict=False)
    except msgspec.ValidationError as e:
        raise CliError(f"{kind.__name__}: {e}") from None
