"""The sync engine: push (operations), pull (subscriptions), status. On top of every app with records."""
