"""Pages that show how backpropagation works."""
