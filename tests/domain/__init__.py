"""One file per action: row, revision, change, audit line, error."""
