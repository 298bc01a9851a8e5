"""What a client can ask for: a namespace a kind of thing, a method an operation."""
