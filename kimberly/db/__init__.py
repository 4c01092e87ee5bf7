"""What the models of every app share about PostgreSQL."""
