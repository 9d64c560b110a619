"""Delivery: the phone-facing HTTP API under /mobile/v1/."""
