"""`orderfeeds completion`: completion of commands, options, venues and orders in a shell."""

from pathlib import Path
from typing import Final

import click
from click.shell_completion import CompletionItem, get_completion_class

from nautilus_orderfeeds.cli.console import EXIT_CODES, print_json
from nautilus_orderfeeds.orders.journal import JournalError
from nautilus_orderfeeds.orders.journal_reader import JournalReader
from nautilus_orderfeeds.venues import registry

_SHELLS: Final = ("bash", "zsh", "fish")
_PROGRAM: Final = "orderfeeds"
_VARIABLE: Final = "_ORDERFEEDS_COMPLETE"
_HOW: Final = {
    "bash": 'eval "$(orderfeeds completion bash)" in ~/.bashrc',
    "zsh": 'eval "$(orderfeeds completion zsh)" in ~/.zshrc',
    "fish": "orderfeeds completion fish > ~/.config/fish/completions/orderfeeds.fish",
}
_OFFERED: Final = 50


@click.command(epilog=EXIT_CODES)
@click.argument("shell", type=click.Choice(_SHELLS))
@click.option("--json", "as_json", is_flag=True, help="Print JSON: the script, and how to install it.")
@click.pass_context
def command(ctx: click.Context, shell: str, as_json: bool) -> None:
    """Print the script that teaches SHELL to complete this command.

    \b
    bash: eval "$(orderfeeds completion bash)" in ~/.bashrc
    zsh:  eval "$(orderfeeds completion zsh)" in ~/.zshrc
    fish: orderfeeds completion fish > ~/.config/fish/completions/orderfeeds.fish
    """
    kind = get_completion_class(shell)
    assert kind is not None
    script = kind(ctx.find_root().command, {}, _PROGRAM, _VARIABLE).source()
    if as_json:
        print_json({"shell": shell, "install": _HOW[shell], "script": script})
    else:
        click.echo(script)


def complete_venue(_: click.Context, __: click.Parameter, incomplete: str) -> list[str]:
    """Offer the venues; none of them is loaded for it."""
    return [name for name in registry.names() if name.startswith(incomplete.lower())]


def complete_order(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Offer the newest orders of the journal that was named, with what they are."""
    journal = ctx.params.get("journal")
    if not journal or not Path(journal).is_file():
        return []
    try:
        with JournalReader(journal) as reader:
            orders = reader.orders(_OFFERED)
    except JournalError:
        return []
    return [
        CompletionItem(order.client_order_id, help=f"{order.terms.side.name} {order.symbol} {order.state.status.name}")
        for order in reversed(orders)
        if order.client_order_id.startswith(incomplete)
    ]
