"""Executes the notebooks and stores their outputs, with a picture of every plot for readers who do not run them.

``python notebooks/build.py`` builds all, ``python notebooks/build.py 01 03`` those whose names begin so. It needs the
dependency group `notebooks`, and Chrome or Chromium for the pictures (kaleido). Tests run the notebooks without this.
"""

import os
import re
import sys
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

FOLDER = Path(__file__).parent
_TIMEOUT_SECS = 300
#: A notebook that grew beyond this is too heavy to be read on a code host.
_MAX_BYTES = 1_500_000


def build(path: Path) -> None:
    """Execute one notebook in place.

    Raises
    ------
    nbclient.exceptions.CellExecutionError
        If a cell fails; the file is left as it was.
    ValueError
        If an output holds a path of this machine, or the file would be too large.
    """
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook, timeout=_TIMEOUT_SECS, kernel_name="python3", resources={"metadata": {"path": FOLDER}}
    )
    client.execute()
    _clean(notebook)
    text = nbformat.writes(notebook) + "\n"
    if found := re.search(r"/(?:home|root|work|tmp|Users)/[^\s\"'\\]*", _outputs(notebook)):
        raise ValueError(f"{path.name}: an output holds a path of this machine: {found[0]}")
    if len(text) > _MAX_BYTES:
        raise ValueError(f"{path.name} would have {len(text):,} bytes, more than {_MAX_BYTES:,}")
    path.write_text(text)


def _clean(notebook: Any) -> None:
    """Leave out what changes with every run and machine and says nothing."""
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    for number, cell in enumerate(notebook.cells, 1):
        cell.id = f"cell-{number}"
        cell.metadata = {}
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if output.get("name") != "stderr"]


def _outputs(notebook: Any) -> str:
    texts = []
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            texts.append(output.get("text", ""))
            texts += [str(value) for kind, value in output.get("data", {}).items() if kind != "image/png"]
    return "\n".join(texts)


def main(chosen: list[str]) -> None:
    """Build the notebooks whose names begin with one of `chosen`, all if there is none."""
    os.environ["ORDERFEEDS_PICTURES"] = "1"
    for path in sorted(FOLDER.glob("*.ipynb")):
        if not chosen or path.name.startswith(tuple(chosen)):
            build(path)
            sys.stdout.write(f"{path.name}: {path.stat().st_size:,} bytes\n")


if __name__ == "__main__":
    main(sys.argv[1:])
