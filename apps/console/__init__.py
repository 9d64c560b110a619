"""Delivery: pages for headquarters, unit leaders, trainers and administrators. No models."""
