"""Sends what the access matrix names: addresses of routes, bodies, and what an answer shows once ids are set aside."""

from __future__ import annotations

import base64
import copy
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

from django.db import transaction
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from apps.accounts.rules import enrolment_proof
from tests.access.matrix import Case
from tests.access.records import Records
from tests.cast import Cast, Key
from tests.holding import package
from tests.reports import plain_content, plain_report
from tests.seizing import flash

# What stands in the addresses of routes that are not about one of our records.
SAMPLES: Mapping[str, Any] = {
    "pk": 1,
    "key": "abc",
    "uidb36": "a",
    "provider_id": "sso",
    "path": "assets/x.js",
}
FORM, JSON, CHUNK = "application/x-www-form-urlencoded", "application/json", "application/offset+octet-stream"
NOBODY = UUID(int=0)
_UUID = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_TIME = re.compile(rb'"server_time":"[^"]*"')
_CSRF = re.compile(rb'name="csrfmiddlewaretoken" value="[^"]*"')


@dataclass(frozen=True)
class Answer:
    """What came back; `shape` is the answer without ids, times and tokens, `record` the record as it is afterwards."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    record: Any

    @property
    def shape(self) -> tuple[int, str, bytes]:
        """Give what may not differ between a record that is hidden and one that does not exist."""
        body = _UUID.sub(b"<id>", _TIME.sub(b"", _CSRF.sub(b"", self.body)))
        return self.status, self.headers.get("Content-Type", ""), body


@dataclass(frozen=True)
class Person:
    """One of the actors with a phone and a browser, and what the browser knows after signing in."""

    phone: Any
    browser: Any
    cookies: Any
    told_of_nobody: dict[Any, Answer] = field(default_factory=dict)

    @classmethod
    def of(cls, cast: Cast, name: str) -> Person:
        """Find the person in the cast."""
        phone: Any = APIClient(raise_request_exception=False)
        browser: Any = Client(raise_request_exception=False)
        if name != "anonymous":
            phone, browser = getattr(cast, name).client(), getattr(cast, name).console()
        return cls(phone, browser, copy.deepcopy(browser.cookies))


def is_for_phones(route: str) -> bool:
    """Tell whether a route belongs to the phone API."""
    return route.startswith(("mobile_api:", "/mobile/"))


def address(route: str, parameters: list[str], pk: UUID, named: Mapping[str, str]) -> str:
    """Give the address of a route for a record; `named` holds what stands in addresses of snapshots."""
    if route.startswith("/"):
        return route
    values = {
        name: pk if name.endswith("_id") and name not in SAMPLES else {**SAMPLES, **named}[name]
        for name in parameters
    }
    return reverse(route, kwargs=values)


def kind_of(case: Case) -> str:
    """Tell which kind of record a request is about."""
    route = case.route
    if case.body in {"open", "photo-delete"}:
        return "photos"
    if case.body.startswith(("exhibit-", "sample-")):
        return "exhibits"
    if case.body.startswith("hand-over-"):
        return "hand_overs"
    if (
        case.body == "record-exhibit"
        or case.body.startswith("seizure-")
        or (case.body == "pull" and case.state == "submitted")
    ):
        return "seizures"
    known = next((kind for pattern, kind in _KINDS.items() if re.search(pattern, route)), None)
    return known or ("versions" if case.object == "trainer" else "reports")


_KINDS = {
    "attachment|^console:(thumbnail|original)$": "photos",
    "^console:(unit_(board|seizures)|count_store)$": "units",
    "^console:(exhibit|exhibit_step|store)$": "exhibits",
    "hand_over": "hand_overs",
    "seizure|judge_pair|^console:(custody|record_exhibit|offer_exhibits|finds?)$": "seizures",
    "^mobile_api:upload$": "uploads",
    "^mobile_api:snapshot|^console:list": "lists",
    "^console:(devices|change_device)$": "devices",
}


def send(
    person: Person, case: Case, records: Records, parameters: list[str], *, as_nobody: bool = False
) -> Answer:
    """Send the request and undo whatever it did; `as_nobody` puts an unknown id in the place of the record's."""
    record = records.find(kind_of(case), case.record)
    pk = uuid4() if record is None or as_nobody else record.pk
    body = BODIES[case.body](pk, record, records) if case.body else None
    with transaction.atomic():
        named = records.nowhere if record is None or as_nobody else records.snapshot
        answer = _deliver(person, case, address(case.route, parameters, pk, named), body)
        if record is not None:
            record = type(record).objects.filter(pk=record.pk).first()
        transaction.set_rollback(True)
    return Answer(answer.status_code, dict(answer.headers), _content(answer), record)


def send_as_nobody(person: Person, case: Case, records: Records, parameters: list[str]) -> Answer:
    """Send the request about an id that nothing has; a person asks the same words only once."""
    body = BODIES[case.body](NOBODY, records.find(kind_of(case), case.record), records) if case.body else None
    words = (_UUID.sub(b"<id>", body.data), body.kind, body.headers) if body else None
    asked = (case.route, case.method, words)
    if asked not in person.told_of_nobody:
        person.told_of_nobody[asked] = send(person, case, records, parameters, as_nobody=True)
    return person.told_of_nobody[asked]


def _deliver(person: Person, case: Case, path: str, body: Sent | None) -> Any:
    client = person.phone if is_for_phones(case.route) else person.browser
    client.cookies = copy.deepcopy(person.cookies)  # whatever an answer before this one has set
    headers = {"X-Request-Id": "access-matrix"}
    if case.route in {"mobile_api:uploads", "mobile_api:upload"}:
        headers["Tus-Resumable"] = "1.0.0"
    if body is None:
        return client.generic(case.method, path, headers=headers)
    return client.generic(
        case.method,
        path,
        body.data,
        content_type=body.kind,
        headers=headers | dict(body.headers),
        CONTENT_LENGTH=str(len(body.data)),
    )


def _content(answer: Any) -> bytes:
    return b"".join(answer.streaming_content) if answer.streaming else bytes(answer.content)


@dataclass(frozen=True)
class Sent:
    """A body with what belongs to it in the headers."""

    data: bytes
    kind: str = JSON
    headers: tuple[tuple[str, str], ...] = ()


Maker = Callable[[UUID, Any, Records], Sent]


def _form(**fields: str) -> Maker:
    def make(pk: UUID, record: Any, records: Records) -> Sent:
        base = {"base_rev": str(getattr(record, "rev", 1))}
        return Sent(urlencode(base | fields).encode(), FORM)

    return make


def _json(content: Any) -> Sent:
    return Sent(json.dumps(content).encode())


def _mutation(kind: str, fields: Callable[[Records], dict[str, Any]] = lambda _: {}) -> Maker:
    def make(pk: UUID, record: Any, records: Records) -> Sent:
        rev = getattr(record, "rev", None)
        sent = {
            "id": str(uuid4()),
            "type": kind,
            "object": str(pk),
            "base_rev": rev,
            "fields": fields(records),
        }
        return _json({"mutations": [sent]})

    return make


def _complete(records: Records) -> dict[str, Any]:
    return plain_report(str(records.versions["trainer", "", "published"].pk))


def _wrong_code(pk: UUID, record: Any, records: Records) -> Sent:
    key, code = Key(), "AAAAA-AAAAA-AAAAA"
    return _json({"code": code, "public_key": key.public, "proof": key.sign(enrolment_proof(code))})


def _wrong_password(pk: UUID, record: Any, records: Records) -> Sent:
    words = {"username": "officer", "password": "wrong", "challenge": "wrong", "signature": "AAAA"}
    return _json({"device_id": str(uuid4()), **words})


def _wrong_token(pk: UUID, record: Any, records: Records) -> Sent:
    return _json({"refresh_token": "wrong", "request_id": "0123456789", "signature": "AAAA"})


def _open_upload(pk: UUID, record: Any, records: Records) -> Sent:
    named = base64.b64encode(str(pk).encode()).decode()
    length = str(record.size if record else 631)
    return Sent(b"", CHUNK, (("Upload-Length", length), ("Upload-Metadata", f"attachment_id {named}")))


def _for_officer(pk: UUID, record: Any, records: Records) -> Sent:
    return Sent(urlencode({"officer": str(records.cast.officer.officer.pk)}).encode(), FORM)


def _pairing(verdict: str, records: Records, whose: str) -> Sent:
    other = records.seizures[whose, "internal", "submitted"].pk
    return Sent(urlencode({"verdict": verdict, "other": str(other), "reason": "Một lô"}).encode(), FORM)


def _reading(pk: UUID, record: Any, records: Records) -> dict[str, Any]:
    """What a receiver reads on what was offered, as it should be."""
    items = getattr(record, "items", {})
    return {key: {"seals_read": i["seals"], "mass_read": i["gross_mass_g"]} for key, i in items.items()}


def _accept(pk: UUID, record: Any, records: Records) -> Sent:
    return _mutation("hand_over.accept", lambda _: {"items": _reading(pk, record, records)})(
        pk, record, records
    )


def _read_at_desk(pk: UUID, record: Any, records: Records) -> Sent:
    fields = {"deed": "accept"}
    for key, item in _reading(pk, record, records).items():
        fields |= {f"seals_{key}": ", ".join(item["seals_read"]), f"mass_{key}": item["mass_read"]}
    return Sent(urlencode(fields).encode(), FORM)


def _offer_at_desk(pk: UUID, record: Any, records: Records) -> Sent:
    exhibits = {e.report_id: e for e in records.exhibits.values() if e.state == "sealed"}
    wanted = exhibits[pk].pk if pk in exhibits else pk
    badge = records.cast.custodian.officer.badge_no
    return Sent(urlencode({"kind": "inside", "badge_no": badge, "exhibits": str(wanted)}).encode(), FORM)


BODIES: Mapping[str, Maker] = {
    "record-exhibit": lambda pk, record, records: _mutation("exhibit.record", lambda _: package(pk))(
        uuid4(), None, records
    ),
    "exhibit-store": _mutation("exhibit.store", lambda _: {"place": "Kho"}),
    "hand-over-accept": _accept,
    "hand-over-refuse": _mutation("hand_over.refuse", lambda _: {"note": "Kho đầy"}),
    "hand-over-withdraw": _mutation("hand_over.withdraw"),
    "new-exhibit": _form(mark="1", description="Túi ni lông", gross_mass_g="10"),
    "offer-to-custodian": _offer_at_desk,
    "put-in-store": _form(deed="step", step="stored", place="Kệ 3"),
    "verdict": _form(deed="verdict", verdict="stay", note="Đọc nhầm"),
    "lab-of-exhibit": _form(
        deed="result",
        lab_outcome="positive",
        lab_substance="ketamine",
        lab_name="Viện KHHS",
        lab_number="55/KL",
        lab_on="2024-09-01",
    ),
    "accept-at-desk": _read_at_desk,
    "refuse-at-desk": _form(deed="refuse", note="Kho đầy"),
    "withdraw-at-desk": _form(deed="withdraw"),
    "to-print": _form(reason="Ký bàn giao"),
    "no-reason-to-print": _form(reason=" "),
    "counted": _form(found="TV-1", witness="Người thứ hai"),
    "wrong-code": _wrong_code,
    "wrong-password": _wrong_password,
    "wrong-token": _wrong_token,
    "challenge": lambda pk, record, records: _json({"device_id": str(uuid4())}),
    "push-address": lambda pk, record, records: _json(
        {"endpoint": "https://push.example/x", "keys": {"p256dh": "x", "auth": "x"}}
    ),
    "pull": lambda pk, record, records: _json({}),
    "submit-new": lambda pk, record, records: _mutation("inspection.submit", _complete)(
        uuid4(), None, records
    ),
    "discard": _mutation("inspection.discard"),
    "save": _mutation("inspection.save", lambda _: {"remarks": "Sửa"}),
    "seizure-flash": lambda pk, record, records: _mutation("seizure.flash", lambda _: flash())(
        uuid4(), None, records
    ),
    "seizure-save": _mutation("seizure.save", lambda _: {"remarks": "Sửa"}),
    "seizure-submit": _mutation("seizure.submit", lambda _: {"remarks": "Sửa"}),
    "seizure-discard": _mutation("seizure.discard"),
    "purpose": _form(purpose="Đối chiếu hồ sơ"),
    "no-purpose": _form(purpose=" "),
    "verify-unit": _form(decision="verify_unit"),
    "verify-region": _form(decision="verify_region"),
    "into-outsiders": lambda pk, record, records: _pairing("into_other", records, "outsider"),
    "apart-from-leaders": lambda pk, record, records: _pairing("apart", records, "leader"),
    "find-save": _form(do="save", base_rev="1", remarks="Sửa"),
    "void-seizure": _form(decision="void", note="Trùng báo cáo"),
    "lab-result": _form(
        mark="1",
        lab_outcome="positive",
        lab_substance="ketamine",
        lab_net_mass_g="1199",
        lab_name="Viện KHHS",
        lab_number="55/KL",
        lab_on="2024-09-01",
    ),
    "correction": _form(handover_plan="Bàn giao Công an", reason="Bổ sung"),
    "photo-delete": _mutation("attachment.delete"),
    "open": _open_upload,
    "chunk": lambda pk, record, records: Sent(b"\xff\xd8\xff\xe0", CHUNK, (("Upload-Offset", "0"),)),
    "override-delete": lambda pk, record, records: Sent(b"", CHUNK, (("X-HTTP-Method-Override", "DELETE"),)),
    "theme": _form(theme="dark"),
    "start": _form(decision="start"),
    "return": _form(decision="return", note="Ghi rõ hơn."),
    "approve": _form(decision="approve"),
    "void": _form(decision="void", reason="Trùng báo cáo"),
    "bundle": _form(bundle_reason="Cơ quan điều tra yêu cầu"),
    "no-reason": _form(bundle_reason=" "),
    "new-checklist": _form(
        code="moi", applies_to="express", title_vi="Quy trình mới", title_en="New checklist"
    ),
    "submit": _form(step="submit"),
    "approve-version": _form(step="approve"),
    "reject": _form(step="reject", reason="Thiếu bước chụp ảnh"),
    "withdraw": _form(step="withdraw", reason="Sai quy định"),
    "next-version": _form(semver="2.0.0", change_note="Bản mới"),
    "edit": _form(form="json", content=json.dumps(plain_content(6)), change_note="Bớt bước"),
    "suspend": _form(verb="suspend"),
    "lost": _form(verb="lost"),
    "reinstate": _form(verb="reinstate"),
    "for-officer": _for_officer,
}
