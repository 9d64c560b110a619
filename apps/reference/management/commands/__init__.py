"""`import_reference_list`: a list from a file."""
