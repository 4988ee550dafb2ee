"""The account's balances: as the venue tells them, read again when they may have changed."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from nautilus_trader.model.objects import AccountBalance, Currency, MarginBalance, Money

from nautilus_orderfeeds.adapter import convert
from nautilus_orderfeeds.feed.errors import FatalFeedError, FeedError
from nautilus_orderfeeds.orders.updates import AccountUpdate


class AccountKeeper:
    """Tells the framework the account state, and reads it again on request (coalesced) and by the clock.

    Parameters
    ----------
    client : OrderFeedExecutionClient
        Whose `generate_account_state` is used.
    read : Callable[[], Awaitable[AccountUpdate or None]]
        Reads the balances from the venue; None if the venue has none to tell.
    starting_balances : list of str, optional
        Money strings for a venue that tells none.
    poll_secs : float
        Reading interval; 0: only on request.
    fills_told : Callable[[], int]
        Number of fills told so far: each changes the balances. It is asked by the clock, so that no fill has to report.
    """

    def __init__(
        self,
        client: Any,
        read: Callable[[], Awaitable[AccountUpdate | None]],
        starting_balances: list[str] | None,
        poll_secs: float,
        fills_told: Callable[[], int],
    ) -> None:
        self._client = client
        self._read = read
        self._starting_balances = starting_balances
        self._poll_secs = poll_secs
        self._balances: dict[str, AccountBalance] = {}
        self._due_secs = 0.0
        self._reading: asyncio.Task[None] | None = None
        self._fills_told = fills_told
        self._fills_seen = fills_told()
        #: Set to have the balances read again soon; many wishes make one reading.
        self.wanted = False

    def take(self, update: AccountUpdate) -> None:
        """Tell the framework new balances; of an incomplete update, together with those known."""
        balances = {} if update.complete else self._balances
        for balance in update.balances:
            unit = convert.currency(balance.currency)
            total = convert.money(balance.total, balance.currency)
            free = convert.money(balance.free, balance.currency)
            # The framework demands total == locked + free exactly, so one of them is computed.
            balances[balance.currency] = AccountBalance(total, Money.from_decimal(_less(total, free), unit), free)
        self._balances = balances
        margins = [
            MarginBalance(
                convert.money(margin.initial, margin.currency),
                convert.money(margin.maintenance, margin.currency),
                None,
            )
            for margin in update.margins
        ]
        now = self._client._clock.timestamp_ns()
        self._client.generate_account_state(list(balances.values()), margins, True, update.ts_event or now)

    def take_starting_balances(self, currencies: Iterable[Currency] = ()) -> None:
        """Tell the configured balances, for a venue that tells none; else, with a warning, none at all.

        Parameters
        ----------
        currencies : Iterable[Currency]
            Of the account, for balances of zero where none are configured.

        Raises
        ------
        FatalFeedError
            If a configured balance is none.
        """
        if self._starting_balances:
            try:
                balances = [Money.from_str(text) for text in self._starting_balances]
            except ValueError as e:
                raise FatalFeedError(f'`starting_balances` must be like ["100000 USD"]: {e}') from None
        else:
            balances = [Money(0, currency) for currency in currencies]
            self._client._log.warning(
                "The venue reports no balances: the account starts with none; set the config field "
                '`starting_balances`, e.g. ["100000 USD"]'
            )
        zero = [AccountBalance(money, Money(0, money.currency), money) for money in balances]
        self._client.generate_account_state(zero, [], False, self._client._clock.timestamp_ns())

    def tick(self, now_secs: float) -> None:
        """Begin to read the balances if they are wanted, changed or due: a venue's limits may make that wait long."""
        polled = self._poll_secs > 0 and now_secs >= self._due_secs
        fills_told = self._fills_told()
        if self._reading is not None or not (self.wanted or polled or fills_told != self._fills_seen):
            return
        self.wanted = False
        self._fills_seen = fills_told
        self._due_secs = now_secs + self._poll_secs
        self._reading = asyncio.get_running_loop().create_task(self._read_once(), name="read balances")

    async def stop(self) -> None:
        """End a reading under way."""
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.wait({self._reading})

    async def _read_once(self) -> None:
        """Read the balances. Failures are logged and tried again."""
        try:
            update = await self._read()
            if update is not None:
                self.take(update)
        except FeedError as e:
            self.wanted = True
            self._client._log.warning(f"Balances could not be read: {e}")
        except Exception as e:
            self._client._log.exception("Balances could not be taken in; going on", e)
        finally:
            self._reading = None


def _less(total: Money, free: Money) -> Any:
    return total.as_decimal() - free.as_decimal()


def currency_or_none(code: str | None) -> Currency | None:
    """Return the framework's currency of `code`, None for a multi-currency account."""
    return None if code is None else convert.currency(code)
