"""How long failover takes, told from templates alone: no AWS, no CDK."""
