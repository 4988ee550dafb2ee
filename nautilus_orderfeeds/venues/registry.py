"""Which venues this package has: every folder beside this file that is a package is one.

Nothing is listed by hand, so a sixth venue is one more folder. A venue's door imports the framework, which takes a
second or two; `names` imports nothing, `load` opens one door.
"""

import importlib
import pkgutil
from collections.abc import Iterator
from types import ModuleType
from typing import Any, Final

from msgspec import Struct

from nautilus_orderfeeds import venues
from nautilus_orderfeeds.venues.capabilities import Capabilities

_EXEC_CONFIG: Final = "ExecClientConfig"


class VenueUnavailable(Exception):
    """There is no such venue, or its door cannot be opened. The message says which, and what there is."""


class VenueEntry(Struct, frozen=True):
    """One venue's door, with its public names found by the pattern that all doors follow.

    Parameters
    ----------
    name : str
        Folder name (``"bsx"``), as users type it.
    prefix : str
        What its classes begin with (``"Bsx"``).
    module : ModuleType
        The door.
    """

    name: str
    prefix: str
    module: ModuleType

    @property
    def door(self) -> Any:
        """The `adapter.door.Door`."""
        return self.module.DOOR

    @property
    def client_name(self) -> str:
        """The framework's venue, and the name under which its clients are registered (``"BSX"``)."""
        return str(self.door.name)

    @property
    def capabilities(self) -> Capabilities:
        """What the venue can do."""
        found: Capabilities = self.door.capabilities
        return found

    @property
    def exec_config(self) -> Any:
        """Class of the execution client's config."""
        return getattr(self.module, f"{self.prefix}{_EXEC_CONFIG}")

    @property
    def data_config(self) -> Any:
        """Class of the data client's config."""
        return getattr(self.module, f"{self.prefix}DataClientConfig")

    @property
    def exec_factory(self) -> Any:
        """Factory class of execution clients."""
        return getattr(self.module, f"{self.prefix}LiveExecClientFactory")

    @property
    def data_factory(self) -> Any:
        """Factory class of data clients."""
        return getattr(self.module, f"{self.prefix}LiveDataClientFactory")


def names() -> list[str]:
    """Return the names of the venues, sorted; imports none of them. A folder becomes a venue with its `door`."""
    folders = [found for found in pkgutil.iter_modules(venues.__path__) if found.ispkg]
    paths = {found.name: [f"{path}/{found.name}" for path in venues.__path__] for found in folders}
    return sorted(name for name, path in paths.items() if any(m.name == "door" for m in pkgutil.iter_modules(path)))


def load(name: str) -> VenueEntry:
    """Open a venue's door.

    Parameters
    ----------
    name : str
        As in `names`; case does not matter.

    Raises
    ------
    VenueUnavailable
        If there is no such venue, or its door cannot be imported or lacks what every door has.
    """
    folder = name.lower()
    if folder not in names():
        raise VenueUnavailable(f"no venue {name!r}; there are: {', '.join(names())}")
    try:
        module = importlib.import_module(f"{venues.__name__}.{folder}")
        public = getattr(module, "__all__", ())
        prefix = next((n.removesuffix(_EXEC_CONFIG) for n in public if n.endswith(_EXEC_CONFIG)), None)
        if prefix is None or "DOOR" not in public:
            raise VenueUnavailable(f"venue {folder} has no door: expected DOOR and a ...{_EXEC_CONFIG} in its __all__")
        entry = VenueEntry(folder, prefix, module)
        # Doors are lazy: only now the venue's own modules are imported.
        _ = entry.door
    except VenueUnavailable:
        raise
    except Exception as e:
        raise VenueUnavailable(f"venue {folder} cannot be loaded: {type(e).__name__}: {e}") from e
    return entry


def load_all() -> Iterator[VenueEntry | VenueUnavailable]:
    """Open every door; give the reason for each that does not open."""
    for name in names():
        try:
            yield load(name)
        except VenueUnavailable as e:
            yield e
