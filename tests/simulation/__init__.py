"""The simulator: phones, people, a bad network and a server that crashes, in one process and on virtual time."""
