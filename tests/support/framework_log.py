"""The framework's log in a file, so that a test can say what must be in it and what must not.

The framework's logging can be initialised once per process. Importing this module does it, at DEBUG and silent on
stdout; pytest imports every test module before it runs the first, so this comes before any node.
"""

import re
import tempfile
from pathlib import Path

from nautilus_trader.common.component import init_logging, is_logging_initialized, sync_logger_to_disk
from nautilus_trader.common.enums import LogLevel

_LEVEL = re.compile(r"^\S+Z \[(DEBUG|INFO|WARN|ERROR)\] (.*)", re.MULTILINE)
_folder = tempfile.TemporaryDirectory(prefix="orderfeeds-framework-log-")
_path: Path | None = None
_guard = None

if not is_logging_initialized():
    _guard = init_logging(
        level_stdout=LogLevel.OFF,
        level_file=LogLevel.DEBUG,
        directory=_folder.name,
        file_name="framework",
        fileout_sync_on_flush=False,
    )
    _path = Path(_folder.name) / "framework.log"


class FrameworkLog:
    """What the framework logs from now on."""

    def __init__(self) -> None:
        if _path is None:
            raise RuntimeError(
                "the framework's logging was initialised elsewhere: import tests.support.nodes before it"
            )
        sync_logger_to_disk()
        self._start = _path.stat().st_size if _path.exists() else 0

    def text(self) -> str:
        """Everything logged so far, from DEBUG up."""
        assert _path is not None
        sync_logger_to_disk()
        with _path.open("rb") as file:
            file.seek(self._start)
            return file.read().decode()

    def entries(self, level: str) -> list[str]:
        """Messages of one level (`"WARN"`, `"ERROR"`), each with the lines that follow its first."""
        text = self.text()
        heads = list(_LEVEL.finditer(text))
        ends = [head.start() for head in heads[1:]] + [len(text)]
        return [text[head.start(2) : end].strip() for head, end in zip(heads, ends, strict=True) if head[1] == level]

    def tail(self, lines: int = 40) -> str:
        """The last lines from INFO up."""
        told = [line for line in self.text().splitlines() if "[DEBUG]" not in line and "AccountState" not in line]
        return "\n".join(told[-lines:])
