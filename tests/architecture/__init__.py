"""What must hold for the whole tree: layers, documents, servers, snapshots."""
