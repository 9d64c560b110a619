"""Delivery of the officers' phone app: serves what was built from `client/` under /field/. No models, no data."""
