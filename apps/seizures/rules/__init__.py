"""Pure decisions about seizure reports: what a field may hold, how much a line counts, what each stage asks for."""
