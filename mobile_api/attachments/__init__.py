"""Photos and files as resources: metadata, original, thumbnail."""
