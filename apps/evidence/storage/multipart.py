"""S3 multipart uploads: how the storage itself puts a long file together.

An upload has at most one, under `uploads/<id>/whole`. Parts are numbered by where they begin, so that two connections
that make the same part make it twice with the same bytes, which changes nothing. Parts cannot be read before the end:
the whole is completed first, then read once to be judged.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import datetime
from typing import IO, Any
from uuid import UUID

from botocore.exceptions import ClientError

from apps.evidence.storage.base import Part, Shortened, Spool

PART_SIZE = 8 * 1024 * 1024  # S3 takes no part below 5 MiB but the last, and at most 10,000
_GONE = frozenset({"NoSuchUpload", "404", "NoSuchKey"})


def number_at(offset: int) -> int:
    """Number the part that begins at an offset; parts of at least `PART_SIZE` never share a number."""
    return offset // PART_SIZE + 1


class Bucket:
    """The calls of boto3 that Django's storages do not have."""

    def __init__(self, bucket: Any) -> None:
        self._name: str = bucket.name
        self._client: Any = bucket.meta.client

    def begin(self, upload: UUID) -> str:
        """Open a multipart upload; gives its id."""
        return str(self._client.create_multipart_upload(**self._of(upload))["UploadId"])

    def put_part(self, spool: Spool, part: Part, file: IO[bytes]) -> None:
        """Store one part; it is durable when this returns."""
        self._client.upload_part(
            **self._of(spool.upload),
            UploadId=spool.multipart,
            PartNumber=part.number,
            Body=file,
            ContentLength=part.length,
        )

    def sizes(self, spool: Spool) -> dict[int, int]:
        """Give the size of each part by number; once the whole is complete, the parts the rows name are there."""
        whole = self._whole_size(spool.upload)
        if whole is not None:
            return {part.number: part.length for part in spool.parts if part.number and part.end <= whole}
        return {row["PartNumber"]: row["Size"] for row in self._parts(spool)}

    def complete(self, spool: Spool, length: int) -> None:
        """Put the parts together, unless that has happened; raises Shortened when one is missing or another size."""
        if self._whole_size(spool.upload) == length:
            return
        there = {row["PartNumber"]: row for row in self._parts(spool)}
        chosen: list[dict[str, Any]] = []
        end = 0
        for part in spool.parts:
            row = there.get(part.number)
            if part.offset != end or row is None or row["Size"] != part.length:
                raise Shortened(end)
            chosen.append({"PartNumber": part.number, "ETag": row["ETag"]})
            end = part.end
        self._client.complete_multipart_upload(
            **self._of(spool.upload), UploadId=spool.multipart, MultipartUpload={"Parts": chosen}
        )

    def fetch(self, spool: Spool, target: IO[bytes]) -> None:
        """Copy the completed whole into a file."""
        body = self._client.get_object(**self._of(spool.upload))["Body"]
        with contextlib.closing(body):
            for chunk in body.iter_chunks(1024 * 1024):
                target.write(chunk)

    def abort(self, spool: Spool) -> None:
        """Give up a multipart upload; one that is complete or gone needs nothing."""
        self._abort(self._of(spool.upload)["Key"], spool.multipart)
        self._client.delete_object(**self._of(spool.upload))

    def abort_below(self, prefix: str) -> None:
        """Give up every multipart upload below a prefix."""
        for key, row in list(self.begun(prefix)):
            self._abort(key, row["UploadId"])

    def abort_elsewhere(self, prefix: str, before: datetime) -> int:
        """Give up every multipart upload that is not below a prefix and is older than a moment. Gives how many."""
        old = [
            (key, row)
            for key, row in self.begun("")
            if not key.startswith(prefix) and row["Initiated"] < before
        ]
        for key, row in old:
            self._abort(key, row["UploadId"])
        return len(old)

    def begun(self, prefix: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """List the multipart uploads below a prefix that have not ended; some storages say 404 where there are none."""
        pages = self._client.get_paginator("list_multipart_uploads")
        with _gone_is_fine():
            for page in pages.paginate(Bucket=self._name, Prefix=prefix):
                for row in page.get("Uploads", []):
                    if row["Key"].startswith(prefix):
                        yield row["Key"], row

    def copy(self, spool: Spool, name: str) -> None:
        """Copy the completed whole to another name, inside the storage."""
        self._client.copy_object(Bucket=self._name, Key=name, CopySource=self._of(spool.upload))

    def _abort(self, key: str, upload_id: str) -> None:
        with _gone_is_fine():
            self._client.abort_multipart_upload(Bucket=self._name, Key=key, UploadId=upload_id)

    def _parts(self, spool: Spool) -> list[dict[str, Any]]:
        pages = self._client.get_paginator("list_parts").paginate(
            **self._of(spool.upload), UploadId=spool.multipart
        )
        try:
            return [row for page in pages for row in page.get("Parts", [])]
        except ClientError as error:
            if _code(error) in _GONE:
                return []
            raise

    def _whole_size(self, upload: UUID) -> int | None:
        try:
            return int(self._client.head_object(**self._of(upload))["ContentLength"])
        except ClientError as error:
            if _code(error) in _GONE:
                return None
            raise

    def _of(self, upload: UUID) -> dict[str, str]:
        return {"Bucket": self._name, "Key": f"uploads/{upload}/whole"}


@contextlib.contextmanager
def _gone_is_fine() -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        if _code(error) not in _GONE:
            raise


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))
