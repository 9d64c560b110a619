"""Who may reach what: the hand-written matrix, the records it speaks of, and how it is read."""
