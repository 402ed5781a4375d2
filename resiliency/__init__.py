"""Command-line tools: check, predict, rehearse and drill failover. Never imports the CDK."""
