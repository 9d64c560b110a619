"""The API documents itself: the OpenAPI document and its page."""
