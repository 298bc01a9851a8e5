"""What a user installs or types: the `backprop` command."""
