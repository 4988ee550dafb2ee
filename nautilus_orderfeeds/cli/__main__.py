"""`python -m nautilus_orderfeeds.cli`: the `orderfeeds` command."""

from nautilus_orderfeeds.cli import main

main()
