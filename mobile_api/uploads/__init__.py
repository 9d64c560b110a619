"""Uploads by tus 1.0.0."""
