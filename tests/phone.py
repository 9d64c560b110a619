"""A real small phone: SQLite store, outbox, journal, tus, self-check. It speaks HTTP and knows nothing of the server.

The Python reference client of docs/sync.md, "The phone's duties": base tables hold what the server said, the outbox
holds what the officer did; one local transaction writes a page together with its cursor; nothing of the officer's is
thrown away without the officer's word. Tests, the demo and the benchmarks use it. The store is `tests/phone_store.py`,
photos `tests/phone_photos.py`, waiting `tests/phone_patience.py`.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import random
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from uuid_utils.compat import uuid7

from tests import phone_snapshots as snapshots
from tests import phone_store as stored
from tests.phone_decisions import Decisions
from tests.phone_patience import LONGEST_DELAY, Clock, VirtualClock, delay
from tests.phone_photos import API, Photos, claimed
from tests.wire import Answer, ConnectionCut, Refused, Wire

BATCH = 50
MOST_RESETS = 3
RESET_AGAIN_AFTER = 3600.0


class Wiped(Exception):
    """The server told this phone to erase itself, and it did."""


class OutOfStep(AssertionError):
    """Streams did not agree with the server after three loads from the start: told to people, not tried for ever."""


class Phone(Photos, Decisions):
    """One officer's phone."""

    def __init__(
        self,
        base_url: str,
        store: Path | str = ":memory:",
        *,
        name: str = "phone",
        clock: Clock | None = None,
    ) -> None:
        self.wire = Wire(base_url)
        self.name = name
        self.clock = clock or Clock()
        self.dice = random.Random(name)
        self.store = stored.open_store(store)
        pem = self.get("key")
        if pem:
            key = serialization.load_pem_private_key(pem.encode(), None)
            assert isinstance(key, ec.EllipticCurvePrivateKey)
            self.key = key
        else:
            self.key = ec.generate_private_key(ec.SECP256R1())
            self.put("key", _pem(self.key))

    # -- the device ---------------------------------------------------------------------------------------------

    def enrol(self, code: str) -> dict[str, Any]:
        """Enrol with a one-time code; keeps the device id and tokens."""
        spki = self.key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        answer = self.call(
            "POST",
            "/devices/enrol",
            {
                "code": code,
                "public_key": base64.b64encode(spki).decode(),
                "name": self.name,
                "app_version": "1.0.0",
                "os_version": "test",
                "proof": self.sign(f"enrol|{code.upper().replace('-', '')}"),
            },
            signed_in=False,
        )
        self.put("device_id", answer["device_id"])
        self.put("server_key", answer["statement"]["public_key"])
        self._keep_tokens(answer)
        return answer

    def sign(self, message: str) -> str:
        """Sign a text with the device key (base64 of DER)."""
        return base64.b64encode(self.key.sign(message.encode(), ec.ECDSA(hashes.SHA256()))).decode()

    def refresh(self) -> None:
        """Rotate the tokens; the request id is kept until the answer has arrived, so a lost answer costs nothing."""
        request_id = self.get("refresh_request") or str(uuid7())
        self.put("refresh_request", request_id)
        token = self.get("refresh_token") or ""
        digest = hashlib.sha256(token.encode()).hexdigest()
        answer = self.call(
            "POST",
            "/sessions/refresh",
            {
                "refresh_token": token,
                "request_id": request_id,
                "signature": self.sign(f"refresh|{self.get('device_id')}|{request_id}|{digest}"),
            },
            signed_in=False,
        )
        self._keep_tokens(answer)
        self.put("refresh_request", "")

    def call(
        self, method: str, path: str, body: object = None, *, signed_in: bool = True, again: bool = True
    ) -> dict[str, Any]:
        """Make one API call; renews an expired token once. Raises Refused, Wiped, ConnectionCut."""
        data = b"" if body is None else json.dumps(body).encode()
        headers = {
            "Content-Type": "application/json",
            "Accept": "application/json",
            "Accept-Encoding": "gzip",
            **self.headers(signed_in),
        }
        if len(data) > 2000:
            data, headers["Content-Encoding"] = gzip.compress(data, 3), "gzip"
        answer = self.wire.request(method, API + path, headers, data)
        if answer.status == 401 and signed_in and again and answer.json().get("code") == "token-expired":
            self.refresh()
            return self.call(method, path, body, again=False)
        self._obey(answer)
        return answer.json() if answer.body else {}

    def headers(self, signed_in: bool = True) -> dict[str, str]:
        """Give the headers of the protocol."""
        basic = {"Sync-Protocol": "1", "App-Version": "1.0.0"}
        if not signed_in:
            return basic
        return basic | {
            "Authorization": f"Bearer {self.get('access_token')}",
            "X-Device-Id": self.get("device_id") or "",
        }

    # -- what the officer does ----------------------------------------------------------------------------------

    def save(self, fields: Mapping[str, Any], report: str | None = None) -> str:
        """Write a draft, or a patch to one, into the outbox; gives the report's id."""
        made = self._write("inspection.save", report or str(uuid7()), fields)
        self.settle_overtaken(made)
        return made

    def submit(
        self, fields: Mapping[str, Any], report: str | None = None, *, needs: Iterable[str] = ()
    ) -> str:
        """Finish a report: its submission goes into the outbox; gives the report's id."""
        return self._write("inspection.submit", report or str(uuid7()), fields, needs)

    def write(self, kind: str, oid: str, fields: Mapping[str, Any]) -> str:
        """Put a mutation of any kind into the outbox; gives the record's id."""
        return self._write(kind, oid, fields)

    def discard(self, report: str) -> None:
        """Take a draft back, at the officer's word: the only way in which the phone lets go of work."""
        self._write("inspection.discard", report, {})

    def report(self, report: str) -> dict[str, Any]:
        """Give a report as the officer sees it: what the server said, with the officer's edits laid over it."""
        return stored.view(self.store, report)

    def rows(self, kind: str) -> dict[str, dict[str, Any]]:
        """Give the records of a kind, by id."""
        found = self.store.execute("SELECT id, body FROM base WHERE kind=?", (kind,))
        return {pk: json.loads(body) for pk, body in found}

    def checklist(self, code: str) -> tuple[str, dict[str, Any]]:
        """Give the published version of a checklist as (version id, body)."""
        for pk, body in self.rows("checklist").items():
            if body["code"] == code and body["status"] == "published":
                return pk, body
        raise LookupError(code)

    def waiting(self) -> int:
        """Count what has not been sent, or not been accepted for good."""
        (n,) = self.store.execute("SELECT count(*) FROM outbox WHERE state IN ('waiting','sent')").fetchone()
        return int(n)

    def attention(self) -> list[dict[str, Any]]:
        """Give the refused mutations with the server's reasons and what was `sent`: nothing is ever deleted."""
        found = self.store.execute(
            "SELECT result, type, object, fields FROM outbox WHERE state='attention' ORDER BY seq"
        )
        return [
            {**json.loads(result), "sent": {"type": kind, "object": oid, "fields": json.loads(fields)}}
            for result, kind, oid, fields in found
        ]

    def now(self) -> str:
        """Give the time as the phone claims it."""
        return claimed(self.clock.now())

    # -- sync ---------------------------------------------------------------------------------------------------

    def sync(self) -> None:
        """Push, pull, photos, and pull again when photos were sent. Waits first if the server has asked for it."""
        self._wait_as_asked()
        known = self.get("epoch")
        self.push()
        trouble: OutOfStep | None = None
        try:
            self.pull()
            if self.get("replay") or (
                known and self.get("epoch") != known
            ):  # the server has gone back in time
                self.push()
                self.pull()
        except OutOfStep as error:
            trouble = error
        sent = self.send_photos()
        if self.get("replay"):  # the server did not know of some of them
            self.push()
            sent += self.send_photos()
        if sent and not trouble:
            self.pull()
        if trouble:
            raise trouble

    def sync_patiently(self, rounds: int = 10) -> bool:
        """Sync until nothing waits, with a longer pause after each failure; tells whether it came to an end."""
        for failures in range(rounds):
            try:
                self.sync()
            except (ConnectionCut, Refused) as error:
                if isinstance(error, Refused) and error.status < 500 and error.status != 429:
                    raise
                pause = self._pause() or delay(self.dice, failures)
            else:
                if not self.waiting():
                    return True
                pause = delay(self.dice, failures)
            self.clock.sleep(pause)
        return False

    def push(self, *, batch: int = BATCH) -> list[dict[str, Any]]:
        """Send what waits, one mutation per object at a time, in order; gives the results.

        A batch beyond the server's limits is halved; a single mutation beyond them goes to the officer.
        """
        if self.get("replay"):
            self._replay_journal()
        given: list[dict[str, Any]] = []
        size = batch
        while ready := stored.ready(self.store, size, self.clock.now(), LONGEST_DELAY):
            try:
                answer = self._push(ready)
            except Refused as refused:
                if refused.status != 413:
                    raise
                if len(ready) == 1:
                    self._keep_for_officer(ready[0]["id"], {"status": "rejected", "code": "too-large"})
                allowed = refused.problem.get("limits", {}).get("mutations", len(ready))
                size = max(1, min(len(ready) // 2, allowed))
                continue
            size = min(batch, size * 2)
            given += answer["results"]
            is_restored = not self._is_same_server(answer)
            self._settle_all(ready, answer, is_restored=is_restored)
            if is_restored or all(result["status"] == "deferred" for result in answer["results"]):
                break
        return given

    def pull(self, *, limit: int = 2000, wait: int = 0) -> int:
        """Receive changes until the head of each stream; checks counts and digests; gives the number of rows.

        Raises OutOfStep after three loads of a stream that disagree; it is then left alone for an hour.
        """
        received = 0
        ask: list[str] = []
        while True:
            body = {"cursor": self.get("cursor") or None, "limit": limit, "wait": wait, "reset": ask}
            body |= snapshots.wish(self.store)
            try:
                page = self.call("POST", "/sync/pull", body)
            except Refused as refused:
                if not self.get("cursor") or refused.code not in {"epoch-changed", "invalid-field"}:
                    raise
                if refused.code == "epoch-changed":
                    self._after_restore()
                    self._replay_journal()
                else:
                    self.put("cursor", "")  # not a cursor, says the server: load from the start
                continue
            if not self._is_same_server(page):  # restored while the cursor was null, so nobody has said 410
                self._after_restore()
                self._replay_journal()
                continue
            received += len(page["changes"])
            wrong = stored.take_page(self.store, page)
            if (
                wrong
            ):  # for whatever reason; sending the journal once more costs nothing if all of it is there
                self.put("replay", "1")
            snapshots.note(self.store, page)
            for stream in set(page["complete"]) - set(wrong):
                self.put(f"resets:{stream}", "")
            ask = [stream for stream in wrong if self._may_reset(stream)]
            if not page["more"] and not ask and not snapshots.load(self.store, self._fetch):
                if wrong:
                    raise OutOfStep(f"{self.name}: streams {wrong} do not agree with the server after resets")
                return received

    def _fetch(self, path: str) -> Answer:
        """Get bytes that are not JSON; a token that ran out meanwhile is renewed."""
        answer = self.wire.request("GET", API + path, self.headers())
        if answer.status == 401 and answer.json().get("code") == "token-expired":
            self.refresh()
            answer = self.wire.request("GET", API + path, self.headers())
        if answer.status not in {200, 404}:
            self._obey(answer)
        return answer

    def troubles(self) -> list[str]:
        """Give the streams that did not agree with the server after all resets, for the sync centre."""
        rows = self.store.execute("SELECT key, value FROM meta WHERE key LIKE 'resets:%' AND value <> ''")
        return [key.partition(":")[2] for key, value in rows if json.loads(value)[0] >= MOST_RESETS]

    # -- inside -------------------------------------------------------------------------------------------------

    def get(self, key: str) -> str | None:
        """Read a setting of the phone."""
        return stored.get(self.store, key)

    def put(self, key: str, value: str) -> None:
        """Keep a setting of the phone."""
        stored.put(self.store, key, value)

    def close(self) -> None:
        """Switch off."""
        self.wire.close()
        self.store.close()

    def wipe(self) -> None:
        """Erase everything, as a lost phone must."""
        with stored.together(self.store):  # all or nothing: a phone that dies on the way is told again
            for table in stored.TABLES:
                self.store.execute(f"DELETE FROM {table}")
        self.store.execute("VACUUM")

    def _keep_tokens(self, answer: Mapping[str, Any]) -> None:
        tokens = answer.get("tokens", answer)
        self.put("access_token", tokens["access_token"])
        self.put("refresh_token", tokens["refresh_token"])

    def _obey(self, answer: Answer) -> None:
        if answer.status < 400:
            return
        refused = Refused(answer)
        if refused.code == "device-revoked" and refused.problem.get("wipe"):
            self.wipe()
            raise Wiped
        if refused.retry_after is not None:
            self.put("not_before", str(self.clock.now() + delay(self.dice, 0, refused.retry_after)))
        raise refused

    def _pause(self) -> float:
        """Give how long the server has asked to be left alone; a clock that jumps back cannot make it for ever."""
        return max(0.0, min(float(self.get("not_before") or 0) - self.clock.now(), LONGEST_DELAY * 1.5))

    def _wait_as_asked(self) -> None:
        if pause := self._pause():
            self.clock.sleep(pause)
        self.put("not_before", "")

    def _write(
        self,
        kind: str,
        oid: str,
        fields: Mapping[str, Any],
        needs: Iterable[str] = (),
        *,
        made_on: int | None = 0,
    ) -> str:
        """Write a mutation into the outbox, made on what was pulled unless `made_on` says otherwise."""
        post = next(iter(self.rows("posting")), None)
        if post and kind != "inspection.discard" and not stored.known_rev(self.store, oid):
            fields = {"posting": post, **fields}
        base_rev = made_on or (None if made_on is None else stored.pulled_rev(self.store, oid))
        self.store.execute(
            "INSERT INTO outbox(id, type, object, fields, depends, made_at, base_rev) VALUES(?,?,?,?,?,?,?)",
            (str(uuid7()), kind, oid, json.dumps(fields), json.dumps(list(needs)), self.now(), base_rev),
        )
        return oid

    def _push(self, mutations: list[dict[str, Any]]) -> dict[str, Any]:
        ids = [(mutation["id"],) for mutation in mutations]
        self.store.executemany("UPDATE outbox SET state='sent' WHERE id=? AND state='waiting'", ids)
        return self.call("POST", "/sync/push", {"device_id": self.get("device_id"), "mutations": mutations})

    def _is_same_server(self, answer: Mapping[str, Any]) -> bool:
        """Tell whether this is the server that acknowledged what the journal holds; noted before anything is."""
        if not self.get("epoch"):
            self.put("epoch", answer["epoch"])
        return bool(self.get("epoch") == answer["epoch"])

    def _settle_all(self, sent: list[dict[str, Any]], answer: dict[str, Any], *, is_restored: bool) -> None:
        """Act on the verdicts. What a restored server refuses, it refuses without what the journal holds."""
        by_id = {mutation["id"]: mutation for mutation in sent}
        moment = datetime.fromisoformat(answer["server_time"]).timestamp()
        refused = []
        lets_go = not is_restored and not self.get("replay")  # as long as the server may need the journal
        for result in answer["results"]:
            mutation, status = by_id[result["id"]], result.get("original_status", result["status"])
            if status == "applied":
                self._applied(mutation, result, moment, lets_go=lets_go)
            elif is_restored:
                refused.append(mutation["id"])
            elif status == "deferred":
                self._put_off(mutation["id"], result)
            else:
                self._keep_for_officer(mutation["id"], result)
        if is_restored:
            self._after_restore(refused)

    def _applied(
        self, mutation: Mapping[str, Any], result: Mapping[str, Any], moment: float, *, lets_go: bool
    ) -> None:
        with stored.together(self.store):
            self.store.execute(
                "UPDATE outbox SET state='done', result=?, rev=? WHERE id=?",
                (json.dumps(result), result.get("rev"), mutation["id"]),
            )
            stored.keep_in_journal(self.store, mutation, result.get("rev"), moment, lets_go=lets_go)

    def _keep_for_officer(self, mutation: str, result: Mapping[str, Any]) -> None:
        self.store.execute(
            "UPDATE outbox SET state='attention', result=? WHERE id=?", (json.dumps(result), mutation)
        )
        (oid,) = self.store.execute("SELECT object FROM outbox WHERE id=?", (mutation,)).fetchone()
        self.settle_overtaken(oid)

    def _put_off(self, mutation: str, result: Mapping[str, Any]) -> None:
        """Send the same again later: at once when it only waits for another, otherwise after a growing pause."""
        (tries,) = self.store.execute("SELECT tries FROM outbox WHERE id=?", (mutation,)).fetchone()
        asked = result.get("retry_after") or 0
        pause = max(delay(self.dice, 0, asked), delay(self.dice, tries)) if asked else 0.0
        self.store.execute(
            "UPDATE outbox SET state='waiting', tries=tries+1, retry_at=?, result=? WHERE id=?",
            (self.clock.now() + pause if pause else 0, json.dumps(result), mutation),
        )

    def _may_reset(self, stream: str) -> bool:
        """Count a load from the start; the fourth in a row has to wait an hour."""
        count, last = json.loads(self.get(f"resets:{stream}") or "[0, 0]")
        if count >= MOST_RESETS and 0 <= self.clock.now() - last < RESET_AGAIN_AFTER:
            return False
        self.put(f"resets:{stream}", json.dumps([count + 1, self.clock.now()]))
        return True

    def _after_restore(self, refused: Iterable[str] = ()) -> None:
        """Prepare for a server that has gone back in time: load anew, send the journal, forget its revisions.

        What it has refused meanwhile is sent again after the journal, as a new mutation.
        """
        run = self.store.execute
        with stored.together(self.store):
            for key, value in {"cursor": "", "epoch": "", "replay": "1"}.items():
                self.put(key, value)
            run("UPDATE journal SET rev=NULL")
            run(
                "UPDATE outbox SET base_rev=NULL WHERE base_rev > 0 "
                "AND (state='attention' OR (state='waiting' AND device_seq IS NULL))"
            )
            for old in refused:
                new = str(uuid7())
                run("UPDATE outbox SET depends=replace(depends, ?, ?)", (old, new))
                run(
                    "UPDATE outbox SET id=?, state='waiting', base_rev=NULL, device_seq=NULL WHERE id=?",
                    (new, old),
                )

    def _replay_journal(self) -> None:
        """Send again what was acknowledged: a server restored from a backup may have lost it.

        What it does not take any more is told to the officer. A phone that dies on the way begins again.
        """
        rows = self.store.execute("SELECT body FROM journal ORDER BY seq").fetchall()
        bodies, size = [json.loads(body) for (body,) in rows], BATCH
        while bodies:
            batch = _one_per_object(bodies, size)
            try:
                answer = self._push(batch)
            except Refused as refused:
                if refused.status != 413 or len(batch) == 1:
                    raise
                size = len(batch) // 2
                continue
            if not self._is_same_server(answer):  # restored once more: begin again with the next sync
                self._after_restore()
                return
            for mutation, result in zip(batch, answer["results"], strict=True):
                status = result.get("original_status", result["status"])
                if status == "applied":
                    self.store.execute(
                        "UPDATE journal SET rev=? WHERE id=?", (result.get("rev"), mutation["id"])
                    )
                elif status != "deferred":
                    self._keep_for_officer(mutation["id"], result)
                    self.store.execute("DELETE FROM journal WHERE id=?", (mutation["id"],))
            left = {r["id"] for r in answer["results"] if r["status"] == "deferred"}
            if len(left) == len(batch):
                return  # the server is busy; the next sync goes on
            taken = {m["id"] for m in batch} - left
            bodies = [m for m in bodies if m["id"] not in taken]
        self.store.execute(
            "UPDATE photo SET state='declared', location=NULL "
            "WHERE bytes IS NOT NULL AND state NOT IN ('waiting', 'attention')"
        )
        self.put("replay", "")


def _one_per_object(mutations: list[dict[str, Any]], most: int) -> list[dict[str, Any]]:
    """Give the first mutation of each object, in order."""
    first: dict[str, dict[str, Any]] = {}
    for mutation in mutations:
        first.setdefault(mutation["object"], mutation)
    return list(first.values())[:most]


def until(condition: Callable[[], bool], *, seconds: float = 20, every: float = 0.1) -> bool:
    """Wait for something another process does."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(every)
    return condition()


def _pem(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


__all__ = [
    "Clock",
    "ConnectionCut",
    "OutOfStep",
    "Phone",
    "Refused",
    "VirtualClock",
    "Wiped",
    "until",
]
