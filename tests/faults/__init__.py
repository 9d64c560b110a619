"""Killed processes, dead brokers, full disks: what must survive them."""
