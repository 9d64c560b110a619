"""`sync_new_epoch`: to be run after every restore of the database."""
