"""Figures: roll-ups kept by Celery, recomputed from rows, every measure by its definition."""
