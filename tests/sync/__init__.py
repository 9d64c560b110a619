"""The laws of synchronisation, on a small real phone that speaks the protocol."""
