"""Pokes: an empty push that tells a phone to pull. Off unless the service has keys (docs/operations.md)."""
