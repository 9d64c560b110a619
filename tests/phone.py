"""A real small phone: SQLite store, outbox, journal, tus, self-check. It speaks HTTP and knows nothing of the server.

The Python reference client of docs/sync.md section 7: base tables hold what the server said, the outbox holds what the
officer did; one local transaction writes a page together with its cursor; photos are kept until `stored` was pulled
with the same hash. Tests, the demo and the benchmarks use it.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import sqlite3
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from uuid_utils.compat import uuid7

from tests.wire import Answer, ConnectionCut, Wire

API = "/mobile/v1"
MASK = (1 << 53) - 1
CHUNK = 256 * 1024
MOST_RESETS = 3

_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta(key TEXT PRIMARY KEY, value TEXT);
CREATE TABLE IF NOT EXISTS base(stream TEXT, kind TEXT, id TEXT, rev INT, body TEXT, old INT DEFAULT 0,
    PRIMARY KEY(stream, kind, id));
CREATE TABLE IF NOT EXISTS outbox(seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE, type TEXT, object TEXT,
    fields TEXT, base_rev INT, depends TEXT, made_at TEXT, state TEXT DEFAULT 'waiting', result TEXT);
CREATE TABLE IF NOT EXISTS journal(id TEXT PRIMARY KEY, body TEXT, rev INT, acked_at REAL);
CREATE TABLE IF NOT EXISTS photo(id TEXT PRIMARY KEY, report TEXT, step TEXT, sha256 TEXT, size INT, mime TEXT,
    bytes BLOB, location TEXT, state TEXT DEFAULT 'waiting');
"""


class Refused(Exception):
    """The server answered with a problem."""

    def __init__(self, answer: Answer) -> None:
        self.status = answer.status
        try:
            self.problem: dict[str, Any] = answer.json()
        except ValueError:
            self.problem = {"code": "no-json", "text": answer.body[:200].decode("latin-1")}
        super().__init__(f"{answer.status} {self.problem.get('code')}: {self.problem.get('detail', '')}")

    @property
    def code(self) -> str:
        """The problem's code."""
        return str(self.problem.get("code"))


class Wiped(Exception):
    """The server told this phone to erase itself, and it did."""


class Phone:
    """One officer's phone."""

    def __init__(self, base_url: str, store: Path | str = ":memory:", *, name: str = "phone") -> None:
        self.wire = Wire(base_url)
        self.name = name
        self.store = sqlite3.connect(store, isolation_level=None, check_same_thread=False)
        self.store.executescript(_SCHEMA)
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
        return self._write("inspection.save", report or str(uuid7()), fields)

    def submit(
        self, fields: Mapping[str, Any], report: str | None = None, *, needs: Iterable[str] = ()
    ) -> str:
        """Finish a report: its submission goes into the outbox; gives the report's id."""
        return self._write("inspection.submit", report or str(uuid7()), fields, needs)

    def take_photo(self, report: str, step: str, data: bytes, *, mime: str = "image/jpeg") -> str:
        """Keep a photo and put its declaration into the outbox; gives the attachment's id."""
        photo = str(uuid7())
        digest = hashlib.sha256(data).hexdigest()
        self.store.execute(
            "INSERT INTO photo(id, report, step, sha256, size, mime, bytes) VALUES(?,?,?,?,?,?,?)",
            (photo, report, step, digest, len(data), mime, data),
        )
        fields = {"report": report, "step": step, "sha256": digest, "size": len(data), "mime": mime}
        made = {"purpose": "overview", "captured_on_device_at": _now()}
        self._write("attachment.create", photo, fields | made)
        return photo

    def report(self, report: str) -> dict[str, Any]:
        """Give a report as the officer sees it: what the server said, with the waiting edits laid over it."""
        row = self.store.execute(
            "SELECT body, rev FROM base WHERE kind='inspection' AND id=?", (report,)
        ).fetchone()
        view: dict[str, Any] = json.loads(row[0]) | {"rev": row[1]} if row else {"rev": 0}
        waiting = "SELECT fields FROM outbox WHERE object=? AND state IN ('waiting','sent') ORDER BY seq"
        for (fields,) in self.store.execute(waiting, (report,)):
            patch = json.loads(fields)
            for key, value in patch.items():
                both = isinstance(value, dict) and isinstance(view.get(key), dict)
                view[key] = view[key] | value if both else value
        return view

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
        """Give the refused mutations with the server's reasons: nothing of them is ever deleted."""
        found = self.store.execute("SELECT result FROM outbox WHERE state='attention' ORDER BY seq")
        return [json.loads(result) for (result,) in found]

    # -- sync ---------------------------------------------------------------------------------------------------

    def sync(self) -> None:
        """Push, pull, photos, and pull again when photos were sent."""
        self.push()
        self.pull()
        if self.send_photos():
            self.pull()

    def push(self, *, batch: int = 50) -> list[dict[str, Any]]:
        """Send what waits, one mutation per object at a time, in order; gives the results."""
        given: list[dict[str, Any]] = []
        while ready := self._ready(batch):
            for mutation in ready:
                self.store.execute("UPDATE outbox SET state='sent' WHERE id=?", (mutation["id"],))
            body = {"device_id": self.get("device_id"), "mutations": ready}
            answer = self.call("POST", "/sync/push", body)
            sent = {mutation["id"]: mutation for mutation in ready}
            for result in answer["results"]:
                self._settle(sent[result["id"]], result)
            given += answer["results"]
            if all(result["status"] == "deferred" for result in answer["results"]):
                break
        return given

    def pull(self, *, limit: int = 2000, wait: int = 0) -> int:
        """Receive changes until the head of each stream; checks counts and digests; gives the number of rows."""
        received, resets = 0, 0
        ask: list[str] = []
        while True:
            body = {"cursor": self.get("cursor") or None, "limit": limit, "wait": wait, "reset": ask}
            try:
                page = self.call("POST", "/sync/pull", body)
            except Refused as refused:
                if refused.code != "epoch-changed":
                    raise
                self.put("cursor", "")
                self._replay_journal()
                continue
            received += len(page["changes"])
            ask = self._take(page)
            if ask:
                resets += 1
                if resets > MOST_RESETS:
                    raise AssertionError(
                        f"{self.name}: streams {ask} do not agree with the server after resets"
                    )
                continue
            if not page["more"]:
                return received

    def send_photos(self) -> int:
        """Send the bytes of photos whose declaration was accepted; gives how many were finished."""
        waiting = "SELECT id FROM photo WHERE state IN ('declared','sending') ORDER BY id"
        photos = [pk for (pk,) in self.store.execute(waiting).fetchall()]
        return sum(self._send_photo(pk) for pk in photos)

    # -- inside -------------------------------------------------------------------------------------------------

    def get(self, key: str) -> str | None:
        """Read a setting of the phone."""
        row = self.store.execute("SELECT value FROM meta WHERE key=?", (key,)).fetchone()
        return row[0] if row else None

    def put(self, key: str, value: str) -> None:
        """Keep a setting of the phone."""
        self.store.execute(
            "INSERT INTO meta VALUES(?,?) ON CONFLICT(key) DO UPDATE SET value=excluded.value", (key, value)
        )

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
        raise refused

    def close(self) -> None:
        """Switch off."""
        self.wire.close()
        self.store.close()

    def wipe(self) -> None:
        """Erase everything, as a lost phone must."""
        for table in ("base", "outbox", "journal", "photo", "meta"):
            self.store.execute(f"DELETE FROM {table}")
        self.store.execute("VACUUM")

    def _write(self, kind: str, oid: str, fields: Mapping[str, Any], needs: Iterable[str] = ()) -> str:
        post = next(iter(self.rows("posting")), None)
        if post and kind != "inspection.discard" and not self._known_rev(oid):
            fields = {"posting": post, **fields}
        self.store.execute(
            "INSERT INTO outbox(id, type, object, fields, depends, made_at) VALUES(?,?,?,?,?,?)",
            (str(uuid7()), kind, oid, json.dumps(fields), json.dumps(list(needs)), _now()),
        )
        return oid

    def _ready(self, batch: int) -> list[dict[str, Any]]:
        found = self.store.execute(
            "SELECT seq, id, type, object, fields, base_rev, depends, made_at FROM outbox o "
            "WHERE state IN ('waiting','sent') AND NOT EXISTS (SELECT 1 FROM outbox p WHERE p.object = o.object "
            "AND p.seq < o.seq AND p.state IN ('waiting','sent')) ORDER BY seq LIMIT ?",
            (batch,),
        ).fetchall()
        ready = []
        for seq, pk, kind, oid, fields, chosen, depends, made_at in found:
            base_rev = chosen
            if base_rev is None and kind.startswith("inspection."):
                base_rev = self._known_rev(oid)
                self.store.execute("UPDATE outbox SET base_rev=? WHERE id=?", (base_rev, pk))
            ready.append(
                {
                    "id": pk,
                    "device_seq": seq,
                    "type": kind,
                    "object": oid,
                    "base_rev": base_rev or None,
                    "fields": json.loads(fields),
                    "depends_on": json.loads(depends),
                    "made_on_device_at": made_at,
                }
            )
        return ready

    def _known_rev(self, oid: str) -> int:
        pulled = self.store.execute("SELECT max(rev) FROM base WHERE id=?", (oid,)).fetchone()[0]
        sql = "SELECT max(rev) FROM journal WHERE json_extract(body, '$.object')=?"
        return max(pulled or 0, self.store.execute(sql, (oid,)).fetchone()[0] or 0)

    def _settle(self, mutation: Mapping[str, Any], result: Mapping[str, Any]) -> None:
        status = result.get("original_status", result["status"])
        if status == "deferred":
            self.store.execute("UPDATE outbox SET state='waiting' WHERE id=?", (mutation["id"],))
            return
        state = "done" if status == "applied" else "attention"
        self.store.execute("BEGIN")
        self.store.execute(
            "UPDATE outbox SET state=?, result=? WHERE id=?", (state, json.dumps(result), mutation["id"])
        )
        if state == "done":
            self.store.execute(
                "INSERT OR IGNORE INTO journal VALUES(?,?,?,?)",
                (mutation["id"], json.dumps(mutation), result.get("rev"), time.time()),
            )
            if mutation["type"] == "attachment.create":
                self.store.execute(
                    "UPDATE photo SET state='declared' WHERE id=? AND state='waiting'", (mutation["object"],)
                )
        self.store.execute("COMMIT")

    def _replay_journal(self) -> None:
        """Send again what was acknowledged: a server restored from a backup may have lost it."""
        rows = [
            json.loads(body)
            for (body,) in self.store.execute("SELECT body FROM journal ORDER BY acked_at, id")
        ]
        for start in range(0, len(rows), 50):
            batch = rows[start : start + 50]
            self.call("POST", "/sync/push", {"device_id": self.get("device_id"), "mutations": batch})
        self.store.execute("UPDATE photo SET state='declared', location=NULL WHERE bytes IS NOT NULL")

    def _take(self, page: Mapping[str, Any]) -> list[str]:
        """Write a page and its cursor in one transaction; gives the streams whose self-check failed."""
        run = self.store.execute
        run("BEGIN IMMEDIATE")
        for stream in page["reset"]:
            run("UPDATE base SET old=1 WHERE stream=?", (stream,))
        for stream in page["drop"]:
            run("DELETE FROM base WHERE stream=?", (stream,))
        for c in page["changes"]:
            key = (c["s"], c["k"], c["id"])
            if c["op"] == "del":
                run("DELETE FROM base WHERE stream=? AND kind=? AND id=?", key)
            else:
                run(
                    "INSERT OR REPLACE INTO base VALUES(?,?,?,?,?,0)", (*key, c["rev"], json.dumps(c["body"]))
                )
                self._photo_stored(c)
        wrong = [s for s, digest in page["complete"].items() if not self._agrees(s, digest)]
        for stream in set(page["complete"]) - set(wrong):
            run("DELETE FROM base WHERE stream=? AND old=1", (stream,))
        self.put("cursor", page["cursor"])
        run("COMMIT")
        return wrong

    def _agrees(self, stream: str, digest: Mapping[str, int]) -> bool:
        rows = self.store.execute(
            "SELECT kind, id, rev FROM base WHERE stream=? AND old=0", (stream,)
        ).fetchall()
        total = sum(_row_digest(kind, pk, rev) for kind, pk, rev in rows) & MASK
        return len(rows) == digest["n"] and total == digest["h"]

    def _photo_stored(self, change: Mapping[str, Any]) -> None:
        if change["k"] == "attachment" and change["body"]["state"] == "stored":
            self.store.execute(
                "UPDATE photo SET state='stored', bytes=NULL WHERE id=? AND sha256=?",
                (change["id"], change["body"]["sha256"]),
            )

    def location(self, photo: str) -> str:
        """Give the upload address of a photo."""
        (found,) = self.store.execute("SELECT location FROM photo WHERE id=?", (photo,)).fetchone()
        return str(found)

    def _send_photo(self, photo: str) -> bool:
        data, location = self.store.execute(
            "SELECT bytes, location FROM photo WHERE id=?", (photo,)
        ).fetchone()
        if data is None:
            return False
        offset = self._tus_offset(location) if location else None
        if offset is None:
            location = self._tus_create(photo, len(data))
            self.store.execute("UPDATE photo SET location=?, state='sending' WHERE id=?", (location, photo))
            offset = self._tus_offset(location) or 0
        while offset < len(data):
            piece = data[offset : offset + CHUNK]
            headers = {"Content-Type": "application/offset+octet-stream", "Upload-Offset": str(offset)}
            answer = self._tus("PATCH", location, headers, piece)
            if answer.status == 409:
                offset = self._tus_offset(location) or 0
                continue
            self._obey(answer)
            offset = int(_header(answer, "Upload-Offset"))
        self.store.execute("UPDATE photo SET state='sent' WHERE id=? AND state='sending'", (photo,))
        return True

    def _tus_create(self, photo: str, length: int) -> str:
        metadata = f"attachment_id {base64.b64encode(photo.encode()).decode()}"
        headers = {"Upload-Length": str(length), "Upload-Metadata": metadata}
        answer = self._tus("POST", f"{API}/uploads", headers)
        self._obey(answer)
        return "/" + _header(answer, "Location").split("://", 1)[-1].split("/", 1)[1]

    def _tus_offset(self, location: str) -> int | None:
        answer = self._tus("HEAD", location, {})
        if answer.status in {404, 410}:
            return None
        self._obey(answer)
        return int(_header(answer, "Upload-Offset"))

    def _tus(self, method: str, path: str, headers: Mapping[str, str], body: bytes = b"") -> Answer:
        def send() -> Answer:
            own = self.headers() | {"Tus-Resumable": "1.0.0", "Accept": "application/json"}
            return self.wire.request(method, path, own | dict(headers), body)

        answer = send()
        if answer.status == 401:
            self.refresh()
            answer = send()
        return answer


def until(condition: Callable[[], bool], *, seconds: float = 20, every: float = 0.1) -> bool:
    """Wait for something another process does."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(every)
    return condition()


def _row_digest(kind: str, pk: str, rev: int) -> int:
    return int.from_bytes(hashlib.sha256(f"{kind}|{uuid.UUID(pk)}|{rev}".encode()).digest()[:7], "big") >> 3


def _header(answer: Answer, name: str) -> str:
    return next(value for key, value in answer.headers.items() if key.lower() == name.lower())


def _pem(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime())


__all__ = ["ConnectionCut", "Phone", "Refused", "Wiped", "until"]
