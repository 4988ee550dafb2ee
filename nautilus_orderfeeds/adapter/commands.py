"""What a strategy asks, carried out.

Rules (design, "Outcomes"): only definite evidence from the venue makes a reject event. Whatever leaves the outcome
open (timeout, cut connection, 5xx) tells nothing; the order is handed to the `Resolver`, which asks the venue.
"""

from nautilus_orderfeeds.adapter.cancels import Cancels
from nautilus_orderfeeds.adapter.modifies import Modifies
from nautilus_orderfeeds.adapter.submits import Submits


class CommandDesk(Submits, Cancels, Modifies):
    """Carries out the commands of one account; parameters are those of `CommandBase`."""
