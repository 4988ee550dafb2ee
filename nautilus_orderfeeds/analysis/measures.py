"""Measures of orders as Ibis expressions: the same on one machine (DuckDB) and on a cluster (Spark).

A measure is a table with one row for each order it applies to: ``account``, ``venue``, ``client_order_id``, ``symbol``,
``type``, ``side`` and ``value``. `distribution` sums a measure up. Everything is integer or DECIMAL(38, 18) arithmetic,
and percentiles are values that occurred (nearest rank), so every engine gives the same numbers to the last digit.
"""

from collections.abc import Sequence
from typing import Any, Final

import ibis  # type: ignore[import-untyped]

from nautilus_orderfeeds.analysis.tables import Tables

_KEYS: Final = ("account", "client_order_id")
#: An accept, or a fill, proves that the order lives at the venue.
_PROOFS: Final = ("OrderAccepted", "OrderFilled")
#: Percentiles of a distribution: column name -> percent.
_PERCENTILES: Final = {"p10": 10, "p50": 50, "p90": 90, "p99": 99}


def time_to_accept(tables: Tables) -> Any:
    """Return ns from submitting to the first proof that the order lives at the venue (an accept or a fill)."""
    return _since_submitted(tables, _PROOFS)


def time_to_first_fill(tables: Tables) -> Any:
    """Return ns from submitting to the first fill told."""
    return _since_submitted(tables, ("OrderFilled",))


def cancel_latency(tables: Tables) -> Any:
    """Return ns from asking for the cancel to the cancel that ended the order.

    Asked again after an answer, it counts from the asking after that. Orders that ended otherwise have none.
    """
    events = tables.order_events
    bounds = events.group_by(_KEYS).agg(
        end_seq=events.seq.max(where=events.event == "OrderCanceled"),
        live_seq=events.seq.min(where=events.event.isin(_PROOFS)),
    )
    bounds = bounds.filter(bounds.end_seq.notnull())
    moments = events.join(bounds, list(_KEYS)).select(*events.columns, "end_seq", "live_seq")
    # What answers a request before: its refusal, an end that was none (a late fill came), and an accept told again.
    is_answer = moments.event.isin(["OrderCancelRejected", "OrderCanceled"]) | (
        (moments.event == "OrderAccepted") & (moments.seq > moments.live_seq)
    )
    answered = moments.group_by(_KEYS).agg(
        answer_seq=moments.seq.max(where=is_answer & (moments.seq < moments.end_seq)).coalesce(-1)
    )
    moments = moments.join(answered, list(_KEYS)).select(*moments.columns, "answer_seq")
    is_asked = (
        (moments.event == "OrderPendingCancel") & (moments.seq > moments.answer_seq) & (moments.seq < moments.end_seq)
    )
    latencies = moments.group_by(_KEYS).agg(
        asked_ns=moments.recorded_ns.min(where=is_asked),
        end_ns=moments.recorded_ns.max(where=moments.seq == moments.end_seq),
    )
    latencies = latencies.filter(latencies.asked_ns.notnull())
    canceled = tables.orders.filter(tables.orders.status == "CANCELED")
    return _of_orders(canceled, latencies.select(*_KEYS, value=latencies.end_ns - latencies.asked_ns))


def fill_ratio(tables: Tables) -> Any:
    """Return the filled part of each order's quantity, 0 to 1, of orders that are over."""
    orders = tables.orders
    over = orders.filter(orders.closed_ns.notnull())
    return over.select("account", "venue", "client_order_id", "symbol", "type", "side", value=over.fill_ratio)


def distribution(measure: Any, by: Sequence[str] = ("venue", "type")) -> Any:
    """Return how a measure is distributed in each group.

    Parameters
    ----------
    measure : ibis Table
        As any of the measures.
    by : Sequence[str]
        Columns to group by.

    Returns
    -------
    ibis Table
        The group, `orders` (their number), `smallest`, `p10`, `p50`, `p90`, `p99`, `largest`, by group. A percentile is
        the smallest value that so many percent of the orders do not exceed.
    """
    ranked = measure.mutate(
        # Ties get ranks in some sequence, which changes no value at any rank.
        rank=ibis.row_number().over(ibis.window(group_by=list(by), order_by=measure.value)),
        count=measure.count().over(ibis.window(group_by=list(by))),
    )
    percentiles = {
        # Ranks begin with 0.
        name: ranked.value.max(where=ranked["rank"] * 100 < ranked["count"] * percent)
        for name, percent in _PERCENTILES.items()
    }
    return (
        ranked.group_by(list(by))
        .agg(orders=ranked.count(), smallest=ranked.value.min(), **percentiles, largest=ranked.value.max())
        .order_by(list(by))
    )


def fees(tables: Tables) -> Any:
    """Return what trading cost at each venue, by currency of the commission and liquidity side.

    Returns
    -------
    ibis Table
        `venue`, `commission_currency` (empty: the instrument's own), `liquidity_side`, `fills`, `estimated` (fills
        whose commission the venue did not say), `notional` (quote units, exact sum), `commission` (exact sum).
    """
    fills = tables.fills
    return (
        fills.group_by(["venue", "commission_currency", "liquidity_side"])
        .agg(
            fills=fills.count(),
            estimated=fills.fee_estimated.cast("int64").sum().cast("int64"),
            notional=fills.notional.sum().cast("decimal(38, 18)"),
            commission=fills.commission.sum().cast("decimal(38, 18)"),
        )
        .order_by(["venue", "commission_currency", "liquidity_side"])
    )


def partial_fills(tables: Tables) -> Any:
    """Return how each venue's orders were filled.

    Returns
    -------
    ibis Table
        `venue`, `orders` (with at least one fill), `in_parts` (of more than one fill), `not_wholly` (over, and filled
        only in part), `fills`, `most_fills` (of one order), `inferred` (fills made from the venue's totals).
    """
    fills, orders = tables.fills, tables.orders
    by_order = fills.group_by(["account", "venue", "client_order_id"]).agg(
        fills=fills.count(), inferred=fills.inferred.cast("int64").sum().cast("int64")
    )
    ended = orders.select(
        *_KEYS,
        not_wholly=(orders.closed_ns.notnull() & (orders.filled_qty < orders.quantity)).cast("int64"),
    )
    told = by_order.join(ended, list(_KEYS))
    return (
        told.group_by("venue")
        .agg(
            orders=told.count(),
            in_parts=(told.fills > 1).cast("int64").sum().cast("int64"),
            not_wholly=told.not_wholly.sum().cast("int64"),
            fills=told.fills.sum().cast("int64"),
            most_fills=told.fills.max(),
            inferred=told.inferred.sum().cast("int64"),
        )
        .order_by("venue")
    )


def _since_submitted(tables: Tables, events: Sequence[str]) -> Any:
    told = tables.order_events
    moments = told.group_by(_KEYS).agg(
        submitted_ns=told.recorded_ns.min(where=told.event == "OrderSubmitted"),
        come_ns=told.recorded_ns.min(where=told.event.isin(list(events))),
    )
    moments = moments.filter(moments.come_ns.notnull())
    orders = tables.orders.select(*_KEYS, "created_ns")
    joined = moments.join(orders, list(_KEYS))
    # An order entered elsewhere was not submitted here: it counts from when it was first recorded.
    begun_ns = joined.submitted_ns.coalesce(joined.created_ns)
    return _of_orders(tables.orders, joined.select(*_KEYS, value=joined.come_ns - begun_ns))


def _of_orders(orders: Any, values: Any) -> Any:
    """Return `values` with what they are grouped by."""
    named = orders.select("account", "venue", "client_order_id", "symbol", "type", "side")
    return named.join(values, list(_KEYS)).select(
        "account", "venue", "client_order_id", "symbol", "type", "side", "value"
    )
