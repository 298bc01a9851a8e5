"""Small data that we have made, each with a training that shows something: for a class's first hour."""
