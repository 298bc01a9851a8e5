"""`python -m cli` is the `backprop` command."""

from cli.commands import app

app(prog_name="backprop")
