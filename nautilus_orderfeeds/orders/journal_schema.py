"""The journal's tables and how an older file becomes a newer one."""

import sqlite3
from typing import Final

#: Version this package writes. Raise it together with a step in `_MIGRATIONS`.
SCHEMA_VERSION: Final = 1

_CREATE: Final = """
CREATE TABLE meta (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE orders (
    client_order_id TEXT PRIMARY KEY,
    venue_order_id  TEXT,
    symbol          TEXT NOT NULL,
    strategy_id     TEXT NOT NULL,
    external        INTEGER NOT NULL,
    refs            TEXT NOT NULL,      -- JSON array: keys the venue echoes
    terms           TEXT NOT NULL,      -- JSON of NewOrder
    wire            TEXT,               -- JSON: what was prepared for the venue, free of secrets
    init            TEXT,               -- JSON: the framework's OrderInitialized
    created_ns      INTEGER NOT NULL,
    closed_ns       INTEGER
);
CREATE INDEX orders_by_venue_id ON orders (venue_order_id);
CREATE TABLE events (
    seq             INTEGER PRIMARY KEY AUTOINCREMENT,
    client_order_id TEXT NOT NULL,
    recorded_ns     INTEGER NOT NULL,
    kind            TEXT NOT NULL,
    body            TEXT NOT NULL       -- JSON of the event
);
CREATE INDEX events_by_order ON events (client_order_id, seq);
CREATE TABLE frames (
    seq         INTEGER PRIMARY KEY AUTOINCREMENT,
    recorded_ns INTEGER NOT NULL,
    stream      TEXT NOT NULL,
    fault       TEXT,                   -- why it could not be read; NULL for a good frame
    raw         BLOB NOT NULL
);
CREATE INDEX frames_by_time ON frames (recorded_ns);
CREATE TABLE marks (
    key   TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) WITHOUT ROWID;
"""

#: from version -> script to the next. Empty while there is only one version.
_MIGRATIONS: Final[dict[int, str]] = {}


def prepare(connection: sqlite3.Connection, account: str) -> int:
    """Create or migrate the tables; return the version found (0 for a new file).

    Raises
    ------
    ValueError
        If the file was written by a newer version of this package, or for another account.
    sqlite3.DatabaseError
        If it is not a readable SQLite file.
    """
    found = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if found > SCHEMA_VERSION:
        raise ValueError(
            f"it has schema version {found}, this package knows up to {SCHEMA_VERSION}: "
            "upgrade orderfeeds-nt-community, or give this client a new journal",
        )
    if found == 0:
        connection.executescript(f"BEGIN;{_CREATE}PRAGMA user_version = {SCHEMA_VERSION};COMMIT;")
        connection.execute("INSERT INTO meta VALUES ('account', ?)", (account,))
        connection.commit()
    for version in range(found or SCHEMA_VERSION, SCHEMA_VERSION):
        connection.executescript(f"BEGIN;{_MIGRATIONS[version]};PRAGMA user_version = {version + 1};COMMIT;")
    owner = connection.execute("SELECT value FROM meta WHERE key = 'account'").fetchone()
    if owner is not None and owner[0] != account:
        raise ValueError(f"it belongs to account {owner[0]}, not {account}: give each account a journal of its own")
    return found
