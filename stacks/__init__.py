"""Wiring: which constructs stand in which stack, from which part of a service file."""
