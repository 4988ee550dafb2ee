"""One order's life as pictures: its timeline, and its path through the state machine (Plotly)."""

import re
from collections.abc import Sequence
from itertools import pairwise
from math import log10
from typing import Any, Final

import plotly.graph_objects as go  # type: ignore[import-untyped]

from nautilus_orderfeeds.analysis.plots import FAINT, INK, duration
from nautilus_orderfeeds.analysis.timeline import WIRE, Moment, Step
from nautilus_orderfeeds.orders.transitions import TRANSITIONS, Trigger, after
from nautilus_orderfeeds.orders.words import OrderStatus

#: A shape or annotation of a figure, as Plotly takes it.
_Part = dict[str, Any]

_WIRE_COLOUR: Final = "#56707F"
_TABLE_COLOUR: Final = "#DDE1E5"
_PATH_COLOUR: Final = "#0072B2"
_EVENT_COLOURS: Final = {
    "Filled": "#009E73",
    "Accepted": "#0072B2",
    "Canceled": "#B8860B",
    "Expired": "#B8860B",
    "Rejected": "#C0392B",
    "Denied": "#C0392B",
    "CancelRejected": "#C0392B",
    "ModifyRejected": "#C0392B",
}
#: Moments closer than this share a place on the axis as far as is seen.
_FINEST_NS: Final = 100_000
#: What a frame says of an order, where it says so in one word.
_STATUS: Final = re.compile(r'"(?:status|orderStatus|order_status|state|st|t)"\s*:\s*"([A-Za-z_ ]{3,24})"')

_S: Final = OrderStatus
#: Where each status stands: left to right as an order lives, its ends below.
_PLACES: Final[dict[OrderStatus, tuple[float, float]]] = {
    _S.INITIALIZED: (0.0, 2.0),
    _S.SUBMITTED: (1.55, 2.0),
    _S.ACCEPTED: (3.1, 2.0),
    _S.TRIGGERED: (3.1, 3.1),
    _S.PENDING_UPDATE: (4.9, 3.1),
    _S.PENDING_CANCEL: (4.9, 0.9),
    _S.PARTIALLY_FILLED: (4.9, 2.0),
    _S.FILLED: (6.9, 2.0),
    _S.CANCELED: (6.9, 0.9),
    _S.EXPIRED: (6.9, 3.1),
    _S.REJECTED: (2.3, 0.9),
    _S.DENIED: (0.3, 0.9),
}

#: Room around the middle of a status's box that arrows keep clear of.
_HALF_WIDTH: Final = 0.44
_HALF_HEIGHT: Final = 0.25


def order_timeline(moments: Sequence[Moment], title: str) -> go.Figure:
    """Draw the frames of the venue against the events the framework was told.

    From a tenth of a millisecond to hours, everything must be seen, so the distance of two moments is the logarithm of
    the time between them; the times themselves stand below.

    Parameters
    ----------
    moments : Sequence[Moment]
        As of `timeline.lifecycle_timeline`.
    title : str
        Such as the order's id and terms.
    """
    figure = go.Figure()
    places = _places([moment.offset_ns for moment in moments])
    for lane, height in (("wire", 1.0), ("framework", 0.0)):
        figure.add_hline(y=height, line={"color": FAINT, "width": 2}, layer="below")
        chosen = [(place, moment) for place, moment in zip(places, moments, strict=True) if moment.lane == lane]
        figure.add_trace(
            go.Scatter(
                x=[place for place, _ in chosen],
                y=[height] * len(chosen),
                mode="markers",
                marker={
                    "size": 13,
                    "symbol": "circle" if lane == "framework" else "square",
                    "color": [_colour(moment) for _, moment in chosen],
                },
                text=[f"{duration(m.offset_ns)}<br>{m.label}<br>{_folded(m.detail)}" for _, m in chosen],
                hovertemplate="%{text}<extra></extra>",
            )
        )
    captions = [
        {
            "x": place,
            "y": 1.0 if moment.lane == WIRE else 0.0,
            "text": _caption(moment),
            "showarrow": False,
            "textangle": -38,
            "xanchor": "left",
            "yanchor": "bottom",
            "yshift": 8,
            "font": {"size": 11, "color": _colour(moment)},
        }
        for place, moment in zip(places, moments, strict=True)
    ]
    # All at once: Plotly copies them all for each one added.
    figure.update_layout(annotations=captions)
    ticks = _tick_places(places)
    figure.update_xaxes(
        tickvals=[places[n] for n in ticks],
        ticktext=[duration(moments[n].offset_ns) if n else "0" for n in ticks],
        range=[-0.4, (places[-1] if places else 0) * 1.06 + 1.2],
        title={"text": "time after the first moment; distances are logarithms of time", "font": {"size": 12}},
        showgrid=False,
        zeroline=False,
    )
    figure.update_yaxes(
        tickvals=[1.0, 0.0],
        ticktext=["<b>venue said</b><br>wire frames", "<b>framework heard</b><br>events"],
        range=[-0.3, 1.75],
        showgrid=False,
        zeroline=False,
        automargin=True,
    )
    return _dressed(figure, title, 380)


def state_diagram(steps: Sequence[Step], title: str) -> go.Figure:
    """Draw the state machine (the one table, `orders/transitions.py`) with the path an order took.

    Parameters
    ----------
    steps : Sequence[Step]
        As of `timeline.lifecycle_path`.
    title : str
        Such as the order's id.
    """
    shapes: list[_Part] = []
    notes: list[_Part] = []
    for begin, end in sorted(_arrows(), key=lambda pair: (pair[0].name, pair[1].name)):
        if begin is not end:
            _arrow(shapes, notes, begin, end, colour=_TABLE_COLOUR, width=1.0)
    visited = {OrderStatus.INITIALIZED, *(step.before for step in steps), *(step.after for step in steps)}
    numbers: dict[tuple[OrderStatus, OrderStatus], list[str]] = {}
    for n, step in enumerate(steps, 1):
        numbers.setdefault((step.before, step.after), []).append(f"{n} {_spaced(step.event).lower()}")
    for begin, end in numbers:
        if begin is not end:
            _arrow(shapes, notes, begin, end, colour=_PATH_COLOUR, width=2.6)
    notes += [_box(status, was_here=status in visited) for status in _PLACES]
    for (begin, end), captions in numbers.items():
        x, y = _PLACES[begin]
        notes.append(_caption_at((x, y + 0.42) if begin is end else _beside(begin, end), captions))
    figure = go.Figure(layout={"shapes": shapes, "annotations": notes})
    figure.update_xaxes(visible=False, range=[-0.6, 7.5])
    figure.update_yaxes(visible=False, range=[0.4, 3.7])
    return _dressed(figure, title, 440)


# -- timeline ----------------------------------------------------------------------------------------------------------


def _places(offsets_ns: Sequence[int]) -> list[float]:
    """Return where each moment stands; no two closer than their captions need."""
    places = [0.0] if offsets_ns else []
    for a, b in pairwise(offsets_ns):
        places.append(places[-1] + 0.75 + 0.8 * log10(1 + max(b - a, 0) / _FINEST_NS))
    return places


def _tick_places(places: Sequence[float]) -> list[int]:
    """Return which moments get their time written: not two too close to be read."""
    chosen: list[int] = []
    for n, place in enumerate(places):
        if not chosen or place - places[chosen[-1]] >= max(1.2, places[-1] / 14):
            chosen.append(n)
    return chosen


def _caption(moment: Moment) -> str:
    if moment.lane == WIRE:
        found = _STATUS.search(moment.detail)
        return found[1].lower() if found is not None else "frame"
    if moment.label == "Filled":
        return f"Filled {moment.detail.partition(' @')[0]}"
    return _spaced(moment.label)


def _colour(moment: Moment) -> str:
    return _WIRE_COLOUR if moment.lane == WIRE else _EVENT_COLOURS.get(moment.label, INK)


def _spaced(name: str) -> str:
    """Return a name of joined words with spaces: ``PendingCancel`` as ``Pending cancel``."""
    words = re.findall(r"[A-Z][a-z]*", name)
    return " ".join([words[0], *(word.lower() for word in words[1:])]) if words else name


def _folded(text: str, width: int = 90, lines: int = 6) -> str:
    shown = text[: width * lines]
    return "<br>".join(shown[n : n + width] for n in range(0, len(shown), width))


# -- state machine -----------------------------------------------------------------------------------------------------


def _arrows() -> set[tuple[OrderStatus, OrderStatus]]:
    """Return every change of status the table allows, those that depend on the past included."""
    found = {(begin, end) for begin, row in TRANSITIONS.items() for end in row.values()}
    for request in (OrderStatus.PENDING_UPDATE, OrderStatus.PENDING_CANCEL):
        for before in OrderStatus:
            for trigger in (Trigger.UPDATE, Trigger.REFUSE_UPDATE, Trigger.REFUSE_CANCEL):
                end = after(request, before, trigger)
                if end is not None:
                    found.add((request, end))
    return found


def _on_curve(begin: OrderStatus, end: OrderStatus, share: float) -> tuple[float, float]:
    """Return a point of the arrow from one status to another, 0 (its begin) to 1 (its end).

    Arrows are curves, bent to their left: so that the one back is another, and a long one does not cross a box.
    """
    (ax, ay), (bx, by) = _PLACES[begin], _PLACES[end]
    dx, dy = bx - ax, by - ay
    bend = 0.30 if abs(dx) + abs(dy) > 2.5 else 0.18
    cx, cy = (ax + bx) / 2 - dy * bend, (ay + by) / 2 + dx * bend
    rest = 1 - share
    return (
        rest * rest * ax + 2 * rest * share * cx + share * share * bx,
        rest * rest * ay + 2 * rest * share * cy + share * share * by,
    )


def _beside(begin: OrderStatus, end: OrderStatus) -> tuple[float, float]:
    """Return where an arrow's caption stands: on the side to which it is bent, so that it covers no arrow."""
    (ax, ay), (bx, by) = _PLACES[begin], _PLACES[end]
    dx, dy = bx - ax, by - ay
    length = (dx * dx + dy * dy) ** 0.5
    x, y = _on_curve(begin, end, 0.5)
    return x - dy / length * 0.52, y + dx / length * 0.17


def _outside(status: OrderStatus, point: tuple[float, float]) -> bool:
    """Whether a point is outside of a status's box."""
    x, y = _PLACES[status]
    return abs(point[0] - x) > _HALF_WIDTH or abs(point[1] - y) > _HALF_HEIGHT


def _arrow(
    shapes: list[_Part], notes: list[_Part], begin: OrderStatus, end: OrderStatus, *, colour: str, width: float
) -> None:
    points = [_on_curve(begin, end, n / 60) for n in range(61)]
    points = [point for point in points if _outside(begin, point) and _outside(end, point)]
    path = "M " + " L ".join(f"{x:.3f},{y:.3f}" for x, y in points)
    shapes.append({"type": "path", "path": path, "line": {"color": colour, "width": width}, "layer": "below"})
    # Its head: a short arrow without a text.
    (ax, ay), (bx, by) = points[-min(6, len(points))], points[-1]
    head = {"arrowhead": 2, "arrowsize": 1.1, "arrowwidth": width, "arrowcolor": colour, "showarrow": True, "text": ""}
    axes = {"xref": "x", "yref": "y", "axref": "x", "ayref": "y"}
    notes.append({"x": bx, "y": by, "ax": ax, "ay": ay, **axes, **head})


def _box(status: OrderStatus, *, was_here: bool) -> _Part:
    x, y = _PLACES[status]
    return {
        "x": x,
        "y": y,
        "text": status.name.replace("_", "<br>"),
        "showarrow": False,
        "font": {"size": 11, "color": "white" if was_here else INK},
        "bgcolor": _PATH_COLOUR if was_here else "white",
        "bordercolor": _PATH_COLOUR if was_here else "#9AA4AD",
        "borderwidth": 1.2,
        "borderpad": 5,
    }


def _caption_at(place: tuple[float, float], captions: Sequence[str]) -> _Part:
    return {
        "x": place[0],
        "y": place[1],
        "text": "<br>".join(captions),
        "showarrow": False,
        "font": {"size": 11, "color": _PATH_COLOUR},
        "bgcolor": "rgba(255,255,255,0.85)",
    }


def _dressed(figure: Any, title: str, height: int) -> go.Figure:
    figure.update_layout(
        title={"text": title, "x": 0, "xanchor": "left", "xref": "paper", "font": {"size": 16, "color": INK}},
        template="plotly_white",
        showlegend=False,
        font={"size": 13, "color": INK},
        margin={"l": 10, "r": 10, "t": 55, "b": 50},
        height=height,
        width=900,
    )
    return figure
