"""The probe agent: checks whether a host reaches its targets, and publishes to CloudWatch.

Runs on instances with Python 3.9 or newer, the standard library and botocore. Data flows one
way: configuration, targets, checks, samples, statistics of each minute, outbox, CloudWatch.
"""
