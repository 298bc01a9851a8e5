"""What people do with a service from the shell, over its interface: all of it goes through the client."""
