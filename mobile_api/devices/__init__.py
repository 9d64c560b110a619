"""`/devices`: a phone becomes an officer's device."""
