"""Pure decisions of the ledger: how an event is sealed, and how sealed events make a tree (RFC 6962)."""
