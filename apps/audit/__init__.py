"""The append-only record of who did and who read what; written in the transaction of the deed."""
