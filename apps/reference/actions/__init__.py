"""What is done with reference lists: they are imported, the shipped ones and the service's own."""

from apps.reference.actions.importing import Imported, import_list
from apps.reference.actions.shipping import SHIPPED, load_shipped
from apps.reference.actions.units import publish_units

__all__ = ["SHIPPED", "Imported", "import_list", "load_shipped", "publish_units"]
