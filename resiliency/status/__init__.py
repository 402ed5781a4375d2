"""`resiliency status`: whether a service's failover works in the account now."""
