"""What phones signed so far moves into captures; from now on captures and receipts refuse to be rewritten."""

from __future__ import annotations

from django.db import migrations

from apps.accounts.rules import as_der
from apps.common.insert_only import protect
from apps.evidence.rules.manifests import SIGNATURE_INVALID, manifest_bytes, seq_of, signature_bytes


def move(apps, schema_editor):  # type: ignore[no-untyped-def]  # Django's own signature
    captures = apps.get_model("evidence", "Capture").objects
    made = []
    for row in apps.get_model("evidence", "Attachment").objects.order_by("id").iterator(chunk_size=500):
        is_signed = bool(row.manifest or row.signature)
        manifest, signature = (
            (manifest_bytes(row.manifest), signature_bytes(row.signature)) if is_signed else (b"", b"")
        )
        verdict = "invalid" if SIGNATURE_INVALID in row.flags else "signed" if is_signed else "unsigned"
        made.append(
            captures.model(
                attachment_id=row.pk,
                owner_kind=row.owner_kind,
                owner_id=row.owner_id,
                device_id=row.device_id,
                sha256=row.sha256,
                size=row.size,
                manifest=manifest,
                signature=signature,
                signature_der=as_der(signature),
                verdict=verdict,
                device_seq=seq_of(manifest),
                received_at=row.created_at,
            )
        )
        if len(made) == 500:
            captures.bulk_create(made)
            made = []
    captures.bulk_create(made)


class Migration(migrations.Migration):
    dependencies = [("evidence", "0005_captures_and_receipts")]

    operations = [
        migrations.RunPython(move, migrations.RunPython.noop),
        protect("evidence_capture", "evidence_receipt"),
    ]
