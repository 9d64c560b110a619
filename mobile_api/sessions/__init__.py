"""`/sessions`: signing in on an enrolled device, rotating tokens, signing out."""
