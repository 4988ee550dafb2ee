"""Options by which a command is told of a venue: where it is, and fields of its configs."""

import json
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlsplit

import click
import msgspec

from nautilus_orderfeeds.cli.console import CliError, busy
from nautilus_orderfeeds.venues import registry

#: Fields that have an option of their own.
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


def address_options[F: Callable[..., Any]](command: F) -> F:
    """Add the options that name a venue's environment and addresses."""
    for option in reversed(
        (
            click.option("--environment", help="live (default), or the name of the venue's test environment."),
            click.option(
                "--base-url-http", metavar="URL", callback=_url("http"), help="Replaces the venue's REST address."
            ),
            click.option(
                "--base-url-ws", metavar="URL", callback=_url("ws"), help="Replaces the address of its stream."
            ),
        )
    ):
        command = option(command)
    return command


def instruments_option[F: Callable[..., Any]](command: F) -> F:
    """Add the option that names a file of instruments."""
    return click.option("--instruments", metavar="FILE", help="JSON list of instruments, for a venue that lists none.")(
        command
    )


def settings_option[F: Callable[..., Any]](command: F) -> F:
    """Add the option for any other field of a config."""
    return click.option(
        "--option", "extra", multiple=True, metavar="NAME=VALUE", help="Another field of its exec config."
    )(command)


def load_venue(name: str, *, quiet: bool) -> registry.VenueEntry:
    """Open a venue's door; raises `CliError` if there is none."""
    with busy("loading the framework", quiet=quiet):
        try:
            return registry.load(name)
        except registry.VenueUnavailable as e:
            raise CliError(str(e)) from None


def extra_fields(entry: registry.VenueEntry, extra: tuple[str, ...]) -> dict[str, Any]:
    """Return the config fields given by ``--option``; raises `CliError` naming what is wrong."""
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


def make_config(kind: Any, fields: dict[str, Any]) -> Any:
    """Make a config of those fields that are given and that its class has; raises `CliError` if a value is wrong."""
    try:
        return msgspec.convert(taken(kind, fields), kind, strict=False)
    except msgspec.ValidationError as e:
        raise CliError(f"{kind.__name__}: {e}") from None


def taken(kind: Any, fields: dict[str, Any]) -> dict[str, Any]:
    """Return those fields that are given and that a config class has."""
    return {name: value for name, value in fields.items() if value is not None and name in kind.__struct_fields__}


def _value(text: str) -> Any:
    """Return a value given as JSON; what is no JSON is text."""
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text
