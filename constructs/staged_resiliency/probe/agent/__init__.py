"""The probe agent: measures what a host reaches, and publishes it to CloudWatch.

Runs on instances with Python 3.9 or newer, the standard library and botocore. Data flows one
way: configuration, targets, checks, samples, minutes, outbox, CloudWatch.
"""
