"""The programs that call the API: their keys, and what makes a repeated call harmless."""
