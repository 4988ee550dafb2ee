"""The configuration file of `orderfeeds run`: what is right is taken as written, what is wrong is told by line."""

import json
import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from nautilus_trader.model.identifiers import InstrumentId

from nautilus_orderfeeds.cli.run_config import ConfigProblems, RunConfig, load
from strategies.common import ExitType
from strategies.market_maker import MarketMaker

GOOD = """\
trader_id = "MAKER-001"

[venues.bsx]
account = "007"
stale_after_secs = 12.5

[venues.bsx.exec]
settle_secs = 2

[[strategies]]
strategy = "strategies.market_maker:MarketMaker"

[strategies.config]
instrument_id = "BTC-PERP.BSX"
order_qty = 0.010
max_position = "0.05"
exit_type = "LIMIT"

[settings]
log_level = "WARNING"
"""


@pytest.fixture
def write(tmp_path: Path) -> Any:
    def write(text: str, name: str = "node.toml") -> Path:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


def problems(path: Path) -> list[str]:
    """The problems of a file without its name: `line: text`."""
    with pytest.raises(ConfigProblems) as caught:
        load(path)
    assert str(path) in str(caught.value)
    return [f"{problem.line}: {problem.text}" for problem in caught.value.problems]


def check_good(found: RunConfig) -> None:
    assert found.trader_id == "MAKER-001"
    (venue,) = found.venues
    assert venue.entry.name == "bsx"
    assert venue.exec_fields == {"account": "007", "stale_after_secs": 12.5, "settle_secs": 2.0}
    assert venue.data_fields == {"stale_after_secs": 12.5}  # it has no account
    (section,) = found.strategies
    assert section.strategy is MarketMaker
    assert section.config.instrument_id == InstrumentId.from_str("BTC-PERP.BSX")
    assert str(section.config.order_qty) == "0.010"  # no float in between
    assert section.config.max_position == Decimal("0.05")
    assert section.config.exit_type is ExitType.LIMIT
    assert found.settings.log_level == "WARNING"
    assert found.simulate.seed == 7


def test_a_good_toml_file(write: Any):
    check_good(load(write(GOOD)))


def test_the_same_as_json(write: Any):
    values = tomllib.loads(GOOD.replace("0.010", '"0.010"'))
    check_good(load(write(json.dumps(values, indent=2), "node.json")))


def test_json_numbers_keep_their_digits(write: Any):
    text = json.dumps(tomllib.loads(GOOD), indent=2)
    text = text.replace('"order_qty": 0.01', '"order_qty": 0.01000000000000000001')
    (section,) = load(write(text, "node.json")).strategies
    assert section.config.order_qty == Decimal("0.01000000000000000001")


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ('trader_id = "MAKER-001"', 'trader_id = "maker"', 1, "'maker': expected a name and a tag"),
        ('trader_id = "MAKER-001"', 'trader = "MAKER-001"', 1, "unknown key 'trader'; did you mean 'trader_id'?"),
        ("[venues.bsx]", "[venues.bxs]", 3, "no venue 'bxs'; there are: acttrader, bsx"),
        ('account = "007"', "account = 7", 4, "venues.bsx.account: Expected `str`, got `int`"),
        ('account = "007"', 'acount = "007"', 4, "unknown key 'acount' in [venues.bsx]; did you mean 'account'?"),
        ("stale_after_secs = 12.5", 'stale_after_secs = "long"', 5, "Expected `float`, got `str`"),
        ("settle_secs = 2", "settle_sec = 2", 8, "unknown key 'settle_sec' in [venues.bsx.exec]; did you mean"),
        ("settle_secs = 2", "handle_revised_bars = true", 8, "unknown key 'handle_revised_bars' in [venues.bsx.exec]"),
        ('strategy = "strategies.market_maker:MarketMaker"', "", 10, "strategy is missing"),
        ("market_maker:MarketMaker", "market_makr:MarketMaker", 11, "cannot be imported: No module named"),
        ("market_maker:MarketMaker", "market_maker:Maker", 11, "has no attribute 'Maker'"),
        ("strategies.market_maker:MarketMaker", "market_maker", 11, 'expected "package.module:Class"'),
        ('instrument_id = "BTC-PERP.BSX"', 'instrument_id = "BTC-PERP"', 14, "invalid `InstrumentId` value"),
        ('instrument_id = "BTC-PERP.BSX"', "", 13, "strategies[0].config lacks 'instrument_id' (InstrumentId)"),
        ("BTC-PERP.BSX", "BTCUSD.SFOX", 14, "BTCUSD.SFOX is no instrument of BSX"),
        ("order_qty = 0.010", "order_qty = true", 15, "strategies[0].config.order_qty"),
        ("order_qty = 0.010", 'order_qty = "much"', 15, "strategies[0].config.order_qty"),
        ("order_qty = 0.010", "order_quantity = 0.010", 15, "unknown key 'order_quantity' in [strategies[0].config]"),
        ('exit_type = "LIMIT"', 'exit_type = "SOON"', 17, "expected one of MARKET, LIMIT"),
        ('exit_type = "LIMIT"', "half_spread_ticks = 0", 17, "Expected `int` >= 1"),
        ('log_level = "WARNING"', 'log_level = "LOUD"', 20, "settings.log_level: Invalid enum value 'LOUD'"),
        ("[settings]", "[setings]", 19, "unknown key 'setings'; did you mean 'settings'?"),
        ("[settings]", "[sandbox.starting_balances]\nroxom = []\n[settings]", 20, "'roxom' is no venue of this file"),
        ("[venues.bsx]", "[venues]\nroxom = 3\n[venues.bsx]", 4, "venues.roxom is a number: expected a table"),
        ('trader_id = "MAKER-001"', 'trader_id = "MAKER-001', 1, "no valid TOML"),
    ],
)
def test_what_is_wrong_is_told_by_its_line(write: Any, old: str, new: str, line: int, words: str):
    assert old in GOOD
    told = problems(write(GOOD.replace(old, new, 1)))
    matching = [text for text in told if text.startswith(f"{line}: ") and words in text]
    assert matching, told


def test_every_problem_is_told_at_once_in_the_order_of_the_lines(write: Any):
    text = GOOD.replace('account = "007"', "account = 7").replace("order_qty = 0.010", "qty = 1")
    told = problems(write(text))
    assert [int(line.split(":")[0]) for line in told] == [4, 13, 15]


def test_two_strategies_with_one_tag(write: Any):
    tagged = GOOD.replace('exit_type = "LIMIT"', 'order_id_tag = "A"')
    second = tagged[tagged.index("[[strategies]]") : tagged.index("[settings]")]
    told = problems(write(tagged.replace("[settings]", second + "[settings]")))
    assert told == ["26: order_id_tag 'A' is that of strategy 1, too: expected another"]


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("node.yaml", "a: 1", "expected .toml or .json"),
        ("node.json", "[1]", "is a list: expected a table"),
        ("node.json", '{"a": 1,\n}', "2: no valid JSON"),
        ("node.json", '{"trader_id": "A-1",\n"trader_id": "B-2"}', "2: 'trader_id' is given twice, first on line 1"),
        ("node.toml", "", "no venue is named"),
        ("node.toml", "strategies = 3", "no strategy is named"),
    ],
)
def test_files_that_are_none(write: Any, name: str, text: str, words: str):
    assert any(words in told for told in problems(write(text, name)))


def test_a_file_that_is_not_there(tmp_path: Path):
    assert problems(tmp_path / "none.toml") == ["1: cannot be read: No such file or directory"]


def test_a_file_in_another_encoding(tmp_path: Path):
    path = tmp_path / "node.toml"
    path.write_bytes(b"trader_id = '\xff'")
    assert problems(path) == ["1: is no UTF-8 text"]


def test_no_secret_is_shown(write: Any):
    secret = "s3cr3t" * 4
    told = problems(write(GOOD.replace('account = "007"', f'api_key = ["{secret}"]\napi_secrets = "{secret}"')))
    assert len(told) == 2
    assert secret not in "".join(told)
