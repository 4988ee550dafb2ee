"""Where files go that the user did not name."""

from pathlib import Path

import platformdirs


def journal_path(account_id: str, environment: str) -> Path:
    """Return the default journal of an account: in the user's state directory, one file per account and environment."""
    suffix = "" if environment == "live" else f"-{environment}"
    return Path(platformdirs.user_state_dir("orderfeeds")) / f"{account_id}{suffix}.sqlite"
