"""Seizures: incidents, reports by stage, their lines in grams, millilitres and counts, persons, consignments."""
