"""Alarms, health checks and the record pair that move clients to the standby."""
