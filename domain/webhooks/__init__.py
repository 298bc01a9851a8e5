"""Addresses that are told when something has ended."""
