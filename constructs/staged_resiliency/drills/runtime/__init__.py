"""What a drill runs in the account, as Lambda functions.

It needs Python, boto3 of the Lambda runtime, ``staged_resiliency.experiment`` and the plan.
"""
