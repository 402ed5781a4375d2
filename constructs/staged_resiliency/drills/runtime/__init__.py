"""The code of a drill's Lambda functions.

It needs Python, the Lambda runtime's botocore and ``staged_resiliency.experiment``, nothing else.
"""
