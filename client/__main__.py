"""`python -m client` is the `backprop` command."""

from client.cli import app

app(prog_name="backprop")
