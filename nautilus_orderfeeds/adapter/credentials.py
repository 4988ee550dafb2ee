"""Credentials: from the config, else from the environment."""

import os


def env_name(venue: str, field: str, environment: str) -> str:
    """Return the environment variable of a credential: ``BSX_API_KEY``, ``BSX_TESTNET_API_KEY``.

    Parameters
    ----------
    venue, field : str
        Names.
    environment : str
        ``"live"`` or the name of the venue's test environment, which stands in the middle.
    """
    infix = "" if environment == "live" else f"{environment.upper()}_"
    return f"{venue.upper()}_{infix}{field.upper()}"


def credential(value: str | None, venue: str, field: str, environment: str) -> str:
    """Return a credential, from the environment if the config has none; empty if neither has it."""
    return value if value is not None else os.environ.get(env_name(venue, field, environment), "")
