"""Requests as phones of each released protocol send them, and the members of the answers they rely on.

`protocol-N/*.json` are never edited once protocol N is released: phones that are months behind go on sending exactly
this. `tests/api/test_recordings.py` replays them; `record.py` makes those of a new protocol.
"""
