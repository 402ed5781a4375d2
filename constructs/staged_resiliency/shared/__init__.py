"""What all of the library uses: names, limits, validation, literals. Never imports the CDK."""
