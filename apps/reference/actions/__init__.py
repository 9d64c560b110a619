"""What is done with reference lists: they are imported."""

from apps.reference.actions.importing import Imported, import_list

__all__ = ["Imported", "import_list"]
