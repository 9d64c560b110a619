"""Snapshots of large streams: the manifest and its parts."""
