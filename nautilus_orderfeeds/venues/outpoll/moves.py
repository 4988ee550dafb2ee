"""What single fills have moved: shares one way and USDC the other, as far as the sequence of told changes shows it.

A fill changes two balances, and the stream tells each in a frame of its own, one after the other (protocol, 6.3); which
comes first is not documented, but it will be the same for each purchase, and for each sale. So where changes of shares
and of USDC alternate, each two are one move. This is evidence only if it is whole: `Moves.close` compares all moves
with a snapshot, which tells all balances at once. A connection loses no frame between others, and a new one begins with
a snapshot; a change that is lost all the same is noticed: halves of two fills do not come together, or one is left.
"""

from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from itertools import combinations
from typing import Final

from msgspec import Struct

from nautilus_orderfeeds.orders.decimals import ZERO

#: Among more moves than these no sum is looked for: there would be too many, and too many that fit by chance.
_MOST: Final = 12

#: The two changes of one fill are told right after each other: within this time.
_TOGETHER_SECS: Final = 0.02


class Move(Struct, frozen=True):
    """`shares` (positive if bought) of an asset came for `money` (USDC, positive if received), or the reverse.

    `is_told`: both changes were told by themselves. Those of a snapshot may be the sum of several fills.
    """

    asset: str
    shares: Decimal
    money: Decimal
    is_told: bool = True


class Moves:
    """The moves that no known fill explains yet, oldest first."""

    def __init__(self) -> None:
        self._moves: list[Move] = []
        #: A change whose other half has not been told yet: asset (None: USDC) and amount.
        self._half: tuple[str | None, Decimal] | None = None
        self._half_at = 0.0
        #: Whether shares are told before the money, by whether they are bought; as it was the first time.
        self._shares_first: dict[bool, bool] = {}
        #: Whether the sequence makes no sense: nothing is known then until all is explained otherwise.
        self._is_broken = False
        #: How many of the moves were there at the last snapshot, which confirmed them or not.
        self._at_snapshot = 0
        self._is_confirmed = False
        self._noted_since = False

    def note(self, changes: Mapping[str, Decimal], quote_ids: Collection[str], now: float | None = None) -> None:
        """Take in what changed since the last time.

        Parameters
        ----------
        changes : Mapping[str, Decimal]
            By asset; of one frame (one asset) or of a snapshot.
        quote_ids : Collection[str]
            Ids of the quote asset.
        now : float, optional
            When the frame came, seconds of the clock's `monotonic`; None: a snapshot, which completes any half.
        """
        money = sum((change for asset, change in changes.items() if asset in quote_ids), ZERO)
        shares = [(asset, change) for asset, change in changes.items() if asset not in quote_ids and change]
        self._noted_since = self._noted_since or bool(shares or money)
        if self._is_broken:
            return
        if len(shares) > 1 or (self._half is not None and shares and money):
            self.spoil()  # more than one fill at once: which money was whose?
        elif shares and money:
            self._take_lump(Move(*shares[0], money, is_told=False))
        elif shares:
            self._add(*shares[0], now)
        elif money:
            self._add(None, money, now)

    def _take_lump(self, move: Move) -> None:
        """Take in what a snapshot tells beyond the changes, or takes back, if it is older than the latest of them."""
        for n, other in enumerate(self._moves):
            if (other.asset, other.shares, other.money) == (move.asset, -move.shares, -move.money):
                self._at_snapshot -= n < self._at_snapshot
                del self._moves[n]
                return
        self._moves.append(move)

    def _add(self, asset: str | None, change: Decimal, now: float | None) -> None:
        half, self._half = self._half, None
        is_together = now is None or now - self._half_at <= _TOGETHER_SECS
        match half, asset:
            case None, _:
                self._half, self._half_at = (asset, change), now or 0.0
            case (first, before), _ if first == asset and before + change == 0:
                return  # taken back
            case _ if not is_together:
                self.spoil()
            case (None, money), str():
                self._pair(Move(asset, change, money, is_told=now is not None), shares_first=False)
            case (str() as first, shares), None:
                self._pair(Move(first, shares, change, is_told=now is not None), shares_first=True)
            case _:  # two of a kind: what was between them was lost
                self.spoil()

    def _pair(self, move: Move, *, shares_first: bool) -> None:
        self._moves.append(move)
        if self._shares_first.setdefault(move.shares > 0, shares_first) is not shares_first:
            self._shares_first.clear()  # halves of two fills, as one was lost; this time, or the first time
            self.spoil()

    def close(self, residuals: Mapping[str, Decimal], money: Decimal) -> None:
        """Compare with what a snapshot leaves unexplained: only moves that make up just that are evidence.

        Parameters
        ----------
        residuals : Mapping[str, Decimal]
            Unexplained change of shares by asset.
        money : Decimal
            Unexplained change of USDC.
        """
        if self._half is not None:
            self.spoil()  # a snapshot has both
        moved: dict[str, Decimal] = {}
        for move in self._moves:
            moved[move.asset] = moved.get(move.asset, ZERO) + move.shares
        self._is_confirmed = (
            not self._is_broken
            and all(residuals.get(asset, ZERO) == moved.get(asset, ZERO) for asset in residuals.keys() | moved.keys())
            and sum((move.money for move in self._moves), ZERO) == money
            and all(is_plausible(move, None) for move in self._moves)
        )
        self._at_snapshot, self._noted_since = len(self._moves), False

    def find(self, asset: str, shares: Decimal, limit: Decimal | None, *, is_alone: bool = False) -> Sequence[Move]:
        """Return the moves that make up a fill; none if that cannot be told.

        Where more than one choice fits, it is one at the very limit (of an order that rested), and else the oldest:
        orders are asked about in the sequence they were sent in.

        Parameters
        ----------
        asset : str
            Bought or sold.
        shares : Decimal
            Positive if bought.
        limit : Decimal, optional
            Worst price the order can have filled at; None: any.
        is_alone : bool
            Whether no other fills can hide in the sum of several.
        """
        if not self._is_confirmed:
            return ()
        ours = [m for m in self._moves[: self._at_snapshot] if m.asset == asset and (m.is_told or is_alone)]
        fitting = [move for move in ours if (move.shares > 0) == (shares > 0) and is_plausible(move, limit)]
        rested = [move for move in fitting if px_of(move) == limit]
        return _oldest(rested, shares) or _oldest(fitting, shares)

    def take(self, chosen: Sequence[Move]) -> None:
        """Forget moves that are explained now."""
        for move in chosen:
            self._moves.remove(move)
        self._at_snapshot -= len(chosen)

    def spoil(self) -> None:
        """Something was lost, or explained without its move: what is left says nothing any more."""
        self._moves.clear()
        self._half, self._is_broken, self._is_confirmed, self._at_snapshot = None, True, False, 0

    def settle(self) -> None:
        """Begin anew from the last snapshot: all that it told is explained."""
        if self._noted_since and (self._is_broken or not self._is_confirmed):
            self.spoil()  # what came since cannot be told from what came before
            return
        del self._moves[: self._at_snapshot]
        self._at_snapshot = 0
        if not self._noted_since:
            self._half, self._is_broken = None, False

    @property
    def is_broken(self) -> bool:
        """Whether nothing is known until all is explained otherwise."""
        return self._is_broken


def px_of(move: Move) -> Decimal:
    """Return the price of a move, USDC for each share."""
    return -move.money / move.shares


def is_plausible(move: Move, limit: Decimal | None) -> bool:
    """Whether an order can have filled so: between 0 and 1, and never worse than its limit."""
    px = px_of(move)
    if not 0 < px < 1:
        return False
    return limit is None or (px <= limit if move.shares > 0 else px >= limit)


def _oldest(moves: Sequence[Move], shares: Decimal) -> Sequence[Move]:
    """Return the oldest of the moves that sum up to `shares`; none if there are none, or too many to choose from."""
    if len(moves) > _MOST or sum((move.shares for move in moves), ZERO) * shares < shares * shares:
        return ()
    fitting = [
        chosen
        for count in range(1, len(moves) + 1)
        for chosen in combinations(range(len(moves)), count)
        if sum((moves[n].shares for n in chosen), ZERO) == shares
    ]
    return tuple(moves[n] for n in min(fitting)) if fitting else ()
