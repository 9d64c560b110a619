"""The dated tree of units: headquarters, regions, gates, teams and partner agencies."""
