"""The composition root: settings, routes, Celery, reactions. Wiring only, no rule of the domain."""
