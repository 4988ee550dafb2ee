"""Doors that open when somebody knocks: a venue's folder can be imported without the framework."""

import importlib
from collections.abc import Callable, Sequence
from typing import Any


def lazy_door(package: str, names: Sequence[str]) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return ``__getattr__`` and ``__dir__`` for a venue's folder whose public names live in its `door` module.

    Parameters
    ----------
    package : str
        The folder's ``__name__``.
    names : Sequence[str]
        Its public names.
    """

    def get(name: str) -> Any:
        if name not in names:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(importlib.import_module(f"{package}.door"), name)

    def listing() -> list[str]:
        return sorted(names)

    return get, listing
