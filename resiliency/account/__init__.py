"""Reads what is in an AWS account: records, health checks, alarms, instances and topics."""
