"""Pure decisions of the evidence app: what may be declared, what bytes are, what their claims are worth."""
