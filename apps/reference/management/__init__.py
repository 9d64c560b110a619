"""Commands of reference lists."""
