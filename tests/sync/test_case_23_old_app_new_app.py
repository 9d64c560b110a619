"""Case 23: an old app and a new app. What a newer app says is kept, what an older one may not send yet waits."""

from __future__ import annotations

from typing import Any

import pytest

from apps.common.records import new_id
from apps.inspections.models import InspectionReport
from apps.sync.models import Mutation
from apps.sync.rules import read_versions, version_needed
from tests.cast import Cast
from tests.work import Work, fresh

PUSH = "/mobile/v1/sync/push"


@pytest.fixture
def send(cast: Cast) -> Any:
    """Sends mutations as an app of a version."""
    client: Any = cast.officer.client()
    own = client._credentials

    def push(*mutations: Any, version: str = "1.0.0", protocol: str = "1") -> Any:
        client.credentials(**own | {"HTTP_APP_VERSION": version, "HTTP_SYNC_PROTOCOL": protocol})
        return client.post(PUSH, {"mutations": list(mutations)}, format="json")

    return push


def mutation(fields: Any, kind: str = "inspection.submit", **more: Any) -> dict[str, Any]:
    ids = {"id": str(new_id()), "object": str(new_id())}
    return {**ids, "type": kind, "base_rev": None, "fields": fields, **more}


def test_case_23_fields_of_a_newer_app_are_kept_and_come_back_to_every_phone(
    work: Work, cast: Cast, send: Any
) -> None:
    """Unknown fields are `applied`, kept in `extra`, and come back by pull; the envelope is kept as it came."""
    sent = mutation(work.fields(weather="mưa", sensors={"rad": 3}), colour="red")
    (result,) = send(sent).json()["results"]
    assert result["status"] == "applied"
    assert InspectionReport.objects.get(pk=sent["object"]).extra == {"weather": "mưa", "sensors": {"rad": 3}}
    assert Mutation.objects.get(pk=sent["id"]).payload.find('"colour":"red"') > 0, "kept as it came"
    (body,) = [body for (_, k, _), (_, body) in fresh(cast.officer.actor()).items() if k == "inspection"]
    assert body["extra"]["weather"] == "mưa"


def test_case_23_a_type_that_asks_for_a_newer_app_waits_and_everything_else_goes(
    work: Work, settings: Any, send: Any
) -> None:
    """`deferred/upgrade-required` with `min_version`, nothing stored; the same id is applied after the update."""
    settings.MIN_APP_VERSIONS = {"inspection.submit": (1, 4)}
    draft, final = mutation(work.fields(), "inspection.save"), mutation(work.fields())
    saved, waits = send(draft, final).json()["results"]
    assert saved["status"] == "applied"
    assert (waits["status"], waits["code"], waits["min_version"]) == ("deferred", "upgrade-required", "1.4")
    assert waits["retry_after"] == 3600
    assert not Mutation.objects.filter(pk=final["id"]).exists(), "nothing is stored, nothing is final"
    (again,) = send(final, version="1.4.0").json()["results"]
    assert again["status"] == "applied", "the same mutation, sent by the updated app"
    (known,) = send(final).json()["results"]
    assert known["status"] == "duplicate", "what was taken stays taken, whoever repeats it"


def test_case_23_an_app_below_the_least_is_told_which_one_it_needs_and_loses_nothing(
    work: Work, settings: Any, send: Any
) -> None:
    """426 `upgrade-required` with `min_version`, nothing processed."""
    settings.MINIMUM_APP_VERSION = "1.10"
    sent = mutation(work.fields())
    answer = send(sent, version="1.9.9")
    assert (answer.status_code, answer.json()["code"]) == (426, "upgrade-required")
    assert (answer.json()["min_version"], answer.json()["protocol"]) == ("1.10", "1")
    assert not Mutation.objects.exists()
    assert send(sent, version="1.10").json()["results"][0]["status"] == "applied"


@pytest.mark.parametrize(
    ("protocol", "code"),
    [
        ("0", "upgrade-required"),
        ("2", "protocol-unsupported"),
        ("x", "upgrade-required"),
        ("٢", "upgrade-required"),
    ],
)
def test_another_protocol_is_refused_with_the_one_that_is_spoken(send: Any, protocol: str, code: str) -> None:
    answer = send(protocol=protocol.encode().decode("latin-1"))
    assert (answer.status_code, answer.json()["code"], answer.json()["protocol"]) == (426, code, "1")


@pytest.mark.parametrize(
    ("app", "needed"), [("1.3.9", "1.4"), ("1.4", None), ("1.10", None), ("", None), ("beta", "1.4")]
)
def test_which_app_may_send_what(app: str, needed: str | None) -> None:
    minimums = read_versions('{"inspection.submit": "1.4"}')
    assert version_needed("inspection.submit", app, minimums) == needed
    assert version_needed("inspection.save", app, minimums) is None


@pytest.mark.parametrize("text", ["[]", "{", '{"a": 1}', '{"a": "new"}'])
def test_a_setting_that_says_nothing_is_refused_at_start(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_versions(text)
