"""Pure rules with plain data: no database, no network."""
