"""Photos and files: upload sessions (tus), originals kept byte for byte, derivatives made apart."""
