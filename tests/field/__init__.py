"""The officers' phone app: its delivery, its engine and its screens, in a real browser where it matters."""
