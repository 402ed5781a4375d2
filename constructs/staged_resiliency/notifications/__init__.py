"""Encrypted SNS topics that alarms may publish to, and their subscriptions."""
