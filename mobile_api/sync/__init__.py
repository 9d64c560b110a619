"""The sync endpoints: push, pull, status."""
