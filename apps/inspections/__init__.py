"""Inspection reports: answers on a checklist version, submission, review (return, approve), voiding."""
