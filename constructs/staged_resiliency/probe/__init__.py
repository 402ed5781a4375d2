"""The probe: an agent on instances that checks whether they reach their dependencies."""
