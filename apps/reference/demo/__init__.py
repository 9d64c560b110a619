"""A small list for the demonstration, as the file that one would import: airports and seaports of the region.

Codes are IATA's for airports and UN/LOCODE's for seaports; the names are ours.
"""

from __future__ import annotations

from pathlib import Path

SLUG = "places"
NAMES = ("Sân bay, cảng biển trong khu vực", "Airports and seaports of the region")
FILE = Path(__file__).with_name("places.csv")
