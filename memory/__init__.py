"""What Kimberly keeps, and the rules for keeping it: true with no operator present."""
