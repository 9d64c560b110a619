"""Officers, their postings, their devices, enrolment and device sessions; who sees which unit's records."""
