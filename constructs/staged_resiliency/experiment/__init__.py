"""Experiments on a service: expectations, observations, the verdict, and the journal.

Rehearsals on one machine and drills in production share it. It is functions on data: standard
library alone, no I/O, no clock, and nothing of the rest of the library, since drills take it into
the account as it is.
"""
