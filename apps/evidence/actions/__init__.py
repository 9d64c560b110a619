"""Every write to evidence: declaring a file, receiving its bytes, judging them, deriving from them, looking at them."""

from apps.evidence.actions.bundling import Exported, Told, export_record
from apps.evidence.actions.declaring import declare_attachment, publish_attachments
from apps.evidence.actions.deriving import (
    Derived,
    derive_photos,
    derive_thumbnail,
    prepare_derivatives,
    settle_derivatives,
)
from apps.evidence.actions.finishing import finalize_upload
from apps.evidence.actions.opening import open_upload
from apps.evidence.actions.receipting import (
    Complete,
    issue_receipts,
    original_hash,
)
from apps.evidence.actions.receiving import append_chunk, open_with_bytes, read_upload, store_original
from apps.evidence.actions.recovering import recover_originals
from apps.evidence.actions.removing import WITHOUT_RECORD, remove_attachment, unclaimed
from apps.evidence.actions.sweeping import expire_uploads, terminate_upload
from apps.evidence.actions.viewing import check_purpose, view_original

__all__ = [
    "WITHOUT_RECORD",
    "Complete",
    "Derived",
    "Exported",
    "Told",
    "append_chunk",
    "check_purpose",
    "declare_attachment",
    "derive_photos",
    "derive_thumbnail",
    "expire_uploads",
    "export_record",
    "finalize_upload",
    "issue_receipts",
    "open_upload",
    "open_with_bytes",
    "original_hash",
    "prepare_derivatives",
    "publish_attachments",
    "read_upload",
    "recover_originals",
    "remove_attachment",
    "settle_derivatives",
    "store_original",
    "terminate_upload",
    "unclaimed",
    "view_original",
]
