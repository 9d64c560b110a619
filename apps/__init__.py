"""The rooms of the house: one Django app per part of the domain, and the delivery apps."""
