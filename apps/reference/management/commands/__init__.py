"""`import_reference_list`: a list from a file; `load_reference`: the lists that come with the product."""
