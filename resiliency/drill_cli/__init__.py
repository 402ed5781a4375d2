"""The command `resiliency drill`: a service's drills in the account, seen and started by people.

Everything is read from the deployed stack: nothing here decides what a drill does, and nothing
here is needed for a drill to end. boto3 is loaded only when a subcommand runs.
"""
