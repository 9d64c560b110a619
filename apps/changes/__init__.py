"""The feed: streams, entries, the outbox of changes, and `record()`. Knows no app of the domain."""
