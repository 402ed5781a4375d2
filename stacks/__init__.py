"""Wiring: which constructs each stack has, from which part of a service file."""
