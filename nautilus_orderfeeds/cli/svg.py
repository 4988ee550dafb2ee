"""Terminal pictures as SVG that fetch nothing: Rich and Textual would have them load a font from a web server."""

import re
from typing import Final

from rich.console import Console
from rich.terminal_theme import TerminalTheme

_FONTS: Final = 'ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace'
_FONT_FACE: Final = re.compile(r"@font-face\s*\{[^}]*\}\s*")
_COMMENT: Final = re.compile(r"<!--.*?-->\s*", re.DOTALL)
_FIRA: Final = re.compile(r"font-family:\s*Fira Code[^;]*;")
#: Calm colours on a dark ground, all readable on it.
THEME: Final = TerminalTheme(
    (20, 24, 27),
    (222, 228, 232),
    [
        (52, 61, 68),
        (255, 138, 128),
        (95, 206, 139),
        (227, 179, 65),
        (108, 178, 255),
        (213, 155, 239),
        (98, 205, 214),
        (222, 228, 232),
    ],
)


def without_web_fonts(svg: str) -> str:
    """Return an SVG of Rich or Textual with the fonts of the reader's machine instead of one from a web server.

    Every line of such a picture has its length given, so any monospaced font keeps the columns.
    """
    return _FIRA.sub(f"font-family: {_FONTS};", _FONT_FACE.sub("", _COMMENT.sub("", svg)))


def picture(console: Console, title: str) -> str:
    """Return what was printed on a console made with ``record=True`` as SVG."""
    return without_web_fonts(console.export_svg(title=title, theme=THEME))
