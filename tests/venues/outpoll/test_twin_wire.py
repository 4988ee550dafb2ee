"""How the simulated Outpoll writes numbers, and what it remembers."""

from __future__ import annotations

import json
from dataclasses import fields
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from nautilus_orderfeeds.sim.connection import encode_json
from nautilus_orderfeeds.venues.outpoll.twin_options import OutpollTwinOptions
from nautilus_orderfeeds.venues.outpoll.twin_records import Timeline
from nautilus_orderfeeds.venues.outpoll.twin_wire import Numbers, cut_off
from nautilus_orderfeeds.venues.outpoll.twin_words import NumberStyle


@given(
    value=st.decimals(min_value=-(10**9), max_value=10**9, places=6, allow_nan=False),
    style=st.sampled_from(NumberStyle),
)
def test_a_number_is_the_same_in_every_style(value: Decimal, style: NumberStyle) -> None:
    write = Numbers(lambda: style)
    for _ in range(3):
        text = encode_json({"n": write(value)}).decode()
        assert json.loads(text, parse_float=Decimal, parse_int=Decimal)["n"] == value


def test_the_styles_of_the_samples() -> None:
    written = {
        style: [bytes(Numbers(lambda style=style: style)(Decimal(text))).decode() for text in ("0.1", "1200", "0.01")]
        for style in (NumberStyle.PLAIN, NumberStyle.PADDED, NumberStyle.EXPONENT)
    }
    assert written == {
        NumberStyle.PLAIN: ["0.1", "1200", "0.01"],
        NumberStyle.PADDED: ["0.10", "1200.00", "0.01"],
        NumberStyle.EXPONENT: ["1E-1", "12E2", "1E-2"],
    }


@given(value=st.decimals(min_value=0, max_value=10**9, places=8), decimals=st.integers(0, 8))
def test_cutting_never_adds(value: Decimal, decimals: int) -> None:
    cut = cut_off(value, decimals)
    assert 0 <= value - cut < Decimal(1).scaleb(-decimals)


@given(values=st.lists(st.integers()), lag=st.integers(0, 5))
def test_a_timeline_forgets_nothing_and_may_lag(values: list[int], lag: int) -> None:
    timeline: Timeline[int] = Timeline()
    for value in values:
        timeline.add(value)
    assert timeline.seen() == values
    assert timeline.seen(lag=lag) == values[: max(0, len(values) - lag)]
    assert timeline.seen(behind_secs=60) == []


def test_every_switch_is_explained() -> None:
    text = OutpollTwinOptions.__doc__ or ""
    names = {name for line in text.splitlines() if " : " in line for name in line.split(" : ")[0].strip().split(", ")}
    assert {field.name for field in fields(OutpollTwinOptions)} == names
