"""Predicts from templates alone how long failover takes: no AWS, no CDK."""
