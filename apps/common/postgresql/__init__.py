"""The database engine for PostgreSQL: Django's own, with a shorter way for the statements of every push (`base`)."""
