"""Wiring: which constructs stand in which stack, from which part of a service file."""

from stacks.application import add_stacks

__all__ = ["add_stacks"]
