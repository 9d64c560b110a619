"""Every write about people and devices."""
