"""Names, limits and validation that the whole library uses. Does not load the CDK."""
