"""What Lambda calls."""
