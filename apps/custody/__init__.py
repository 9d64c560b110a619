"""Custody: exhibits, their seals and samples, who holds them, two-sided hand-over, the unit's temporary store."""
