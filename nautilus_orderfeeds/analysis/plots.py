"""Plots of measures: distributions, fees, fills (Plotly). One order's life is drawn in `life_plots`.

Every function takes a measure or table of `measures` (an Ibis expression, or its rows as dicts) and returns a figure.
Values carry their labels directly; colours tell venues apart and are the same in every plot of the same venues.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

import plotly.graph_objects as go  # type: ignore[import-untyped]

#: Told apart also by the colour-blind (Okabe and Ito), and dark enough on white.
PALETTE: Final = ("#0072B2", "#D55E00", "#009E73", "#AA4499", "#B8860B", "#56707F", "#882255")
INK: Final = "#333333"
FAINT: Final = "#D5D9DD"
_ROW_PX: Final = 46
_HEAD_PX: Final = 120


def distributions(measure: Any, title: str, *, by: Sequence[str] = ("venue", "type")) -> go.Figure:
    """Draw every order of a duration measure as a point, a row for each group, with the median named.

    Parameters
    ----------
    measure : ibis Table or rows
        A measure in ns.
    title : str
        What is measured.
    by : Sequence[str]
        Columns to group by; colours follow the first.
    """
    figure = _strips(measure, by, to_axis=lambda value: float(value) / 1e6, label=duration)
    figure.update_xaxes(type="log", title="milliseconds, logarithmic", tickformat="~g", dtick=1)
    return _dressed(figure, title)


def ratios(measure: Any, title: str, *, by: Sequence[str] = ("venue", "type")) -> go.Figure:
    """Draw a measure from 0 to 1 in percent; parameters as of `distributions`."""
    figure = _strips(measure, by, to_axis=lambda value: float(value) * 100, label=lambda value: f"{float(value):.0%}")
    figure.update_xaxes(title="percent", range=[-6, 122], tickvals=[0, 25, 50, 75, 100])
    return _dressed(figure, title)


def fee_rates(fees: Any, title: str = "Fees, in basis points of what was traded") -> go.Figure:
    """Draw commission over notional of each venue, maker and taker apart.

    Parameters
    ----------
    fees : ibis Table or rows
        As of `measures.fees`. Commissions in another currency than the quote's cannot be compared with the notional:
        such rows (`commission_currency` not empty) are taken as if they were in it.
    """
    found = [row for row in _rows(fees) if row["notional"]]
    colours = venue_colours(row["venue"] for row in found)
    sides = {"NO_LIQUIDITY_SIDE": "(side not told)", "MAKER": "maker", "TAKER": "taker"}
    names = [f"{row['venue']} {sides[row['liquidity_side']]}" for row in found]
    rates = [float(row["commission"] / row["notional"] * 10_000) for row in found]
    labels = [
        f"{rate:.3g} bp, {row['fills']} fill(s)" + (f", {row['estimated']} estimated" if row["estimated"] else "")
        for rate, row in zip(rates, found, strict=True)
    ]
    bars = go.Bar(
        x=rates,
        y=names,
        orientation="h",
        marker_color=[colours[row["venue"]] for row in found],
        width=0.55,
        customdata=labels,
        hovertemplate="%{customdata}<extra></extra>",
    )
    figure = go.Figure(bars)
    figure.update_layout(
        annotations=[
            {"x": max(rate, 0), "y": name, "text": label, "showarrow": False, "xanchor": "left", "xshift": 6}
            for name, rate, label in zip(names, rates, labels, strict=True)
        ]
    )
    largest = max((abs(rate) for rate in rates), default=1.0) or 1.0
    figure.update_yaxes(autorange="reversed")
    _dressed(figure, title, rows=len(found))
    # The labels say it all.
    return figure.update_xaxes(visible=False, range=[min(0.0, *rates, 0.0) * 1.2, largest * 1.6])


def fills_per_order(tables_fills: Any, title: str = "How many fills an order took") -> go.Figure:
    """Draw how many fills the orders of each venue had.

    Parameters
    ----------
    tables_fills : ibis Table or rows
        The table `fills`.
    """
    counts: dict[str, dict[tuple[str, str], int]] = defaultdict(lambda: defaultdict(int))
    for row in _rows(tables_fills):
        counts[row["venue"]][row["account"], row["client_order_id"]] += 1
    colours = venue_colours(counts)
    figure = go.Figure()
    for venue in sorted(counts):
        sizes: dict[int, int] = defaultdict(int)
        for fills in counts[venue].values():
            sizes[fills] += 1
        figure.add_trace(
            go.Scatter(
                x=list(sizes),
                y=[venue] * len(sizes),
                mode="markers+text",
                marker={
                    "size": [16 + 5 * orders**0.5 for orders in sizes.values()],
                    "color": colours[venue],
                    "opacity": 1,
                },
                text=[f"{orders}" for orders in sizes.values()],
                textfont={"color": "white", "size": 12},
                hovertemplate="%{text} order(s) of %{x} fill(s)<extra></extra>",
            )
        )
    most = max((fills for venue in counts.values() for fills in venue.values()), default=1)
    figure.update_xaxes(title="fills of one order; the number in the circle: orders", dtick=1, range=[0.5, most + 0.5])
    figure.update_yaxes(autorange="reversed")
    return _dressed(figure, title, rows=len(counts))


# -- shared ------------------------------------------------------------------------------------------------------------


def duration(ns: int | Decimal) -> str:
    """Return a duration in ns for people: ``12.3 ms``."""
    value = float(ns)
    for limit, unit, scale, digits in ((1e6, "µs", 1e3, 0), (1e7, "ms", 1e6, 1), (1e9, "ms", 1e6, 0)):
        if abs(value) < limit:
            return f"{value / scale:.{digits}f} {unit}"
    return f"{value / 1e9:.2f} s"


def venue_colours(venues: Iterable[str]) -> dict[str, str]:
    """Return a colour for each venue, by their alphabetical order."""
    return {venue: PALETTE[n % len(PALETTE)] for n, venue in enumerate(sorted(set(venues)))}


def _rows(table: Any) -> list[Mapping[str, Any]]:
    """Return the rows of an Ibis expression; rows are left as they are."""
    return table.to_pyarrow().to_pylist() if hasattr(table, "to_pyarrow") else list(table)


def _strips(measure: Any, by: Sequence[str], *, to_axis: Any, label: Any) -> go.Figure:
    """Draw one row of points a group; points of like value are moved apart across the row."""
    groups: dict[tuple[str, ...], list[Any]] = defaultdict(list)
    for row in _rows(measure):
        groups[tuple(str(row[column]) for column in by)].append(row["value"])
    colours = venue_colours(group[0] for group in groups)
    figure = go.Figure()
    names = sorted(groups)
    for place, group in enumerate(names):
        found = sorted(groups[group])
        median = found[(len(found) - 1) // 2]
        colour = colours[group[0]]
        spread = [place + 0.22 * ((n * 7) % 5 - 2) / 2 for n in range(len(found))]
        figure.add_trace(
            go.Scatter(
                x=[to_axis(value) for value in found],
                y=spread,
                mode="markers",
                marker={"size": 8, "color": colour, "opacity": 0.6, "line": {"width": 0}},
                text=[label(value) for value in found],
                hovertemplate="%{text}<extra></extra>",
            )
        )
        figure.add_trace(
            go.Scatter(
                x=[to_axis(median)] * 2,
                y=[place - 0.36, place + 0.36],
                mode="lines",
                line={"color": colour, "width": 3},
                hoverinfo="skip",
            )
        )
        figure.add_annotation(
            x=1.01,
            xref="paper",
            y=place,
            text=f"median <b>{label(median)}</b><br>{len(found)} order{'s' if len(found) > 1 else ''}",
            showarrow=False,
            xanchor="left",
            align="left",
            font={"color": colour, "size": 12},
        )
    labels = [" ".join(group).replace("_", " ") for group in names]
    figure.update_yaxes(tickvals=list(range(len(names))), ticktext=labels, range=[len(names) - 0.5, -0.5])
    figure.update_layout(margin_r=130, height=_HEAD_PX + _ROW_PX * max(len(names), 1))
    return figure


def _dressed(figure: go.Figure, title: str, *, rows: int | None = None) -> go.Figure:
    """Give a figure the common look: white, few lines, no legend."""
    figure.update_layout(
        title={"text": title, "x": 0, "xanchor": "left", "xref": "paper", "font": {"size": 17, "color": INK}},
        template="plotly_white",
        showlegend=False,
        font={"size": 13, "color": INK},
        margin={"l": 10, "t": 60, "b": 55},
        width=900,
    )
    if rows is not None:
        figure.update_layout(height=_HEAD_PX + _ROW_PX * max(rows, 1))
    figure.update_xaxes(gridcolor=FAINT, zerolinecolor=FAINT, automargin=True)
    figure.update_yaxes(showgrid=False, zeroline=False, automargin=True)
    return figure
