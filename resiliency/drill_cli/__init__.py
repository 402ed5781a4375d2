"""The command `resiliency drill`: lists, previews, starts and follows a service's drills.

It reads everything from the deployed stack. No drill depends on it. boto3 is loaded only when a
subcommand runs.
"""
