"""The phone API: shapes, statuses, problems, who may call what."""
