"""The order's state diagram as SVG, drawn from the one transition table; a page's script lights up the path taken."""

from html import escape
from math import hypot
from typing import Final

from nautilus_orderfeeds.orders.transitions import arrows
from nautilus_orderfeeds.orders.words import CLOSED_STATUSES, OrderStatus

_S = OrderStatus
#: Column and row of each status. Narrow and high, so that it can be read on a telephone.
_PLACES: Final = {
    _S.INITIALIZED: (1.5, 0.0),
    _S.DENIED: (3.0, 0.5),
    _S.SUBMITTED: (1.5, 1.0),
    _S.ACCEPTED: (1.5, 2.0),
    _S.TRIGGERED: (0.0, 2.5),
    _S.PENDING_UPDATE: (0.55, 3.3),
    _S.PENDING_CANCEL: (2.45, 3.3),
    _S.PARTIALLY_FILLED: (1.5, 4.35),
    _S.FILLED: (0.0, 5.5),
    _S.CANCELED: (1.0, 5.5),
    _S.EXPIRED: (2.0, 5.5),
    _S.REJECTED: (3.0, 5.5),
}
_COLUMN, _ROW = 96, 78
_WIDTH, _HEIGHT = 84, 34
_LEFT, _TOP = 50, 26
_VIEW = (_LEFT + 3 * _COLUMN + 50, _TOP + int(5.5 * _ROW) + 26)


def _centre(status: OrderStatus) -> tuple[float, float]:
    column, row = _PLACES[status]
    return _LEFT + column * _COLUMN, _TOP + row * _ROW


def state_diagram() -> str:
    """Return the SVG: groups of class ``state`` with ``data-state``, paths of class ``arrow`` with ``data-step``."""
    lines = [
        f'<svg class="states" viewBox="0 0 {_VIEW[0]} {_VIEW[1]}" role="img" aria-label="order states">',
        "<defs>",
        *(
            f'<marker id="{name}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" '
            f'orient="auto-start-reverse"><path d="M0,0 L8,4 L0,8 z"/></marker>'
            for name in ("tip", "tip-taken")
        ),
        "</defs>",
    ]
    for (start, end), labels in arrows().items():
        if start is not end:
            title = escape(f"{start.name} to {end.name}: {', '.join(labels)}")
            lines.append(
                f'<path class="arrow" data-step="{start.name}>{end.name}" d="{_curve(start, end)}" '
                f'marker-end="url(#tip)"><title>{title}</title></path>'
            )
    lines.extend(_box(status) for status in OrderStatus)
    lines.append("</svg>")
    return "\n".join(lines)


def _box(status: OrderStatus) -> str:
    x, y = _centre(status)
    words = status.name.split("_")
    first = y + 4 - (len(words) - 1) * 6.5
    text = "".join(f'<tspan x="{x:g}" y="{first + 13 * n:g}">{word}</tspan>' for n, word in enumerate(words))
    kind = "state over" if status in CLOSED_STATUSES else "state"
    return (
        f'<g class="{kind}" data-state="{status.name}"><rect x="{x - _WIDTH / 2:g}" y="{y - _HEIGHT / 2:g}" '
        f'width="{_WIDTH}" height="{_HEIGHT}" rx="7"/><text text-anchor="middle">{text}</text></g>'
    )


def _curve(start: OrderStatus, end: OrderStatus) -> str:
    """Return a bent line from border to border, so that both ways between two states are seen."""
    (ax, ay), (bx, by) = _centre(start), _centre(end)
    length = hypot(bx - ax, by - ay)
    bend = 0.16 * length if length > 1.6 * _ROW else 0.1 * length
    mx, my = (ax + bx) / 2 - (by - ay) / length * bend, (ay + by) / 2 + (bx - ax) / length * bend
    (sx, sy), (ex, ey) = _border(ax, ay, mx, my), _border(bx, by, mx, my)
    return f"M{sx:.1f},{sy:.1f} Q{mx:.1f},{my:.1f} {ex:.1f},{ey:.1f}"


def _border(x: float, y: float, towards_x: float, towards_y: float) -> tuple[float, float]:
    """Return where the line from a box's centre towards a point leaves the box."""
    dx, dy = towards_x - x, towards_y - y
    scale = min(
        (_WIDTH / 2 + 2) / abs(dx) if dx else float("inf"),
        (_HEIGHT / 2 + 2) / abs(dy) if dy else float("inf"),
    )
    return x + dx * scale, y + dy * scale
