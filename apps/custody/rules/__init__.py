"""Pure decisions about exhibits: which step follows which, what each step asks for, whether two readings agree."""
