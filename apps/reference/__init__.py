"""Reference lists: ports, carriers and the like, loaded from files, held by every phone of the service."""
