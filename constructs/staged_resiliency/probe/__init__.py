"""The probe: what runs on instances to measure whether they reach their dependencies."""
