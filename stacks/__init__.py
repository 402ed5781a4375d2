"""Wiring: which constructs each stack has, from which part of a service file.

The wheel has this package as `staged_resiliency_app`, so modules import each other by `from .`:
docs/adr/0018.
"""
