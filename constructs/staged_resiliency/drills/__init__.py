"""Drills in production: a fault, what clients see of it, and a verdict."""
