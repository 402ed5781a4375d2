"""One fake AWS account for the tests of drills and of `resiliency drill`, based on moto."""
