"""Kiểm tra hồ sơ bằng chứng / Checks a bundle of evidence. Needs Python 3.8 or newer and `openssl`, nothing else.

    python3 verify.py [--server-key KEY_ID] [DIRECTORY]

Exit status 0: everything fits. 1: something does not, and each thing is named. 2: it could not be checked.

`--server-key` is the id of the server's key as you know it from elsewhere (a phone, a printed record, a witness).
Without it the bundle is checked against the key that lies inside it, which proves only that its parts belong together.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

faults: list[str] = []
count = 0


def check(what: str, *, fits: bool) -> bool:
    """Note one result; gives it back."""
    global count  # noqa: PLW0603  a small program of one file
    count += 1
    if not fits:
        faults.append(what)
        print(f"SAI / WRONG  {what}")
    return fits


def openssl(*arguments: str) -> bool:
    """Run openssl; tells whether it says yes."""
    done = subprocess.run(["openssl", *arguments], capture_output=True, check=False)
    return done.returncode == 0


def sha256(data: bytes) -> str:
    """Give the SHA-256 in hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


class Bundle:
    """The files of a bundle, and what its index says of them."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.index: dict[str, Any] = json.loads(self.read("index.json"))
        self.keys: dict[str, bytes] = {}

    def read(self, name: str) -> bytes:
        """Give the bytes of a file."""
        return (self.directory / name).read_bytes()

    def path(self, name: str) -> str:
        """Give the path of a file."""
        return str(self.directory / name)

    def is_signed_by_server(self, key_id: str, name: str, signature: str) -> bool:
        """Ask openssl for an Ed25519 signature of one of the server's keys."""
        if key_id not in self.keys:
            return False
        key = self.path(f"server/{key_id}.pem")
        where = ("-in", self.path(name), "-sigfile", self.path(signature))
        return openssl("pkeyutl", "-verify", "-pubin", "-inkey", key, "-rawin", *where)


def public_bytes(pem: bytes) -> bytes:
    """Give the DER bytes inside a PEM file."""
    lines = [line for line in pem.decode().splitlines() if line and not line.startswith("-")]
    return base64.b64decode("".join(lines))


def as_der(raw: bytes) -> bytes:
    """Turn the 64 bytes of a browser's signature into the form that openssl reads."""
    if len(raw) != 64:
        return raw
    parts = b""
    for number in (raw[:32], raw[32:]):
        body = number.lstrip(b"\0") or b"\0"
        body = b"\0" + body if body[0] & 0x80 else body
        parts += b"\x02" + bytes([len(body)]) + body
    return b"\x30" + bytes([len(parts)]) + parts


def check_keys(bundle: Bundle, expected: str | None) -> None:
    """Follow the server's keys from the first, or from the one that is known from elsewhere."""
    for key in bundle.index["keys"]:
        raw = public_bytes(bundle.read(f"server/{key['id']}.pem"))[-32:]
        if check(f"server key {key['id']}: name", fits=sha256(raw)[:16] == key["id"]):
            bundle.keys[key["id"]] = raw
    trusted = {expected} if expected else set(list(bundle.keys)[:1])
    check(f"server key {expected or ''}: here", fits=trusted <= set(bundle.keys) and bool(trusted))
    for key in bundle.index["keys"]:
        for said in key["statements"]:
            name = f"server/{said}"
            facts = json.loads(bundle.read(f"{name}.json"))
            is_fit = bundle.is_signed_by_server(facts["signed_by"], f"{name}.json", f"{name}.sig")
            check(f"{name}: signature", fits=is_fit and facts["key_id"] == key["id"])
            if facts["kind"] == "server-key" and facts["signed_by"] in trusted:
                trusted.add(key["id"])
            if facts["kind"] == "server-key-revoked":
                print(f"CHÚ Ý / NOTE  {key['id']} is not trusted from {facts['from']}: {facts['reason']}")
    for key in set(bundle.keys) - trusted:
        if expected is None or key != bundle.index["keys"][0]["id"]:
            check(f"server key {key}: announced by a trusted one", fits=False)


def check_photo(bundle: Bundle, photo: dict[str, Any]) -> None:
    """Check the bytes of a photo, what its device signed, and the server's word about the device."""
    name = photo["file"]
    data = bundle.read(name)
    check(f"{name}: SHA-256", fits=sha256(data) == photo["sha256"] and len(data) == photo["size"])
    if not photo["manifest"]:
        print(f"CHÚ Ý / NOTE  {name}: máy không ký / not signed by its device")
        return
    manifest, der = bundle.path(photo["manifest"]), bundle.path(photo["signature_der"])
    key = f"devices/{photo['device']}.pem"
    check(
        f"{name}: signature of the device",
        fits=openssl("dgst", "-sha256", "-verify", bundle.path(key), "-signature", der, manifest),
    )
    check(
        f"{name}: both forms of the signature",
        fits=as_der(bundle.read(photo["signature"])) == bundle.read(photo["signature_der"]),
    )
    said = json.loads(bundle.read(photo["manifest"]))
    named = any(p["sha256"] == sha256(data) and p["bytes"] == len(data) for p in said["photos"])
    own = said["device"] == photo["device"] and said["report"] == bundle.index["record_id"]
    check(f"{name}: named by its manifest", fits=named and own)


def check_device(bundle: Bundle, device: str) -> None:
    """Check what the server stated when it enrolled a device."""
    name = f"devices/{device}.statement"
    said = json.loads(bundle.read(f"{name}.json"))
    check(
        f"{name}: signature of the server",
        fits=bundle.is_signed_by_server(said["key_id"], f"{name}.json", f"{name}.sig"),
    )
    key = base64.b64encode(public_bytes(bundle.read(f"devices/{device}.pem"))).decode()
    check(f"{name}: key of the device", fits=said["public_key"] == key and said["device_id"] == device)


def check_version(bundle: Bundle, number: int) -> None:
    """Check a submitted version and its receipt."""
    place = f"versions/{number}"
    said = json.loads(bundle.read(f"{place}/receipt.json"))
    check(
        f"{place}/receipt: signature of the server",
        fits=bundle.is_signed_by_server(said["key_id"], f"{place}/receipt.json", f"{place}/receipt.sig"),
    )
    own = said["record_id"] == bundle.index["record_id"] and said["version"] == number
    content = bundle.read(f"{place}/content.json")
    check(f"{place}/content: named by its receipt", fits=own and said["content_sha256"] == sha256(content))
    photos = {photo["id"]: photo for photo in bundle.index["photos"]}
    for told in (*said["photos"], *said.get("unnamed", ())):
        photo = photos.get(told["id"])
        if photo is None:
            check(f"{place}: photo {told['id']} is here", fits=False)
            continue
        manifest = sha256(bundle.read(photo["manifest"])) if photo["manifest"] else None
        same = told["sha256"] == sha256(bundle.read(photo["file"])) and told["manifest_sha256"] == manifest
        check(f"{place}/receipt: photo {told['id']}", fits=same)
    leaves = {event["id"]: event["leaf_hash"] for event in bundle.index["events"]}
    check(f"{place}/receipt: event", fits=leaves.get(said["event"]["id"]) == said["event"]["leaf_hash"])


def check_sums(bundle: Bundle) -> None:
    """Check every file against the list, the list against its signature, and that nothing lies here beside it."""
    own = {"SHA256SUMS", "SHA256SUMS.sig"}
    listed = {}
    for line in bundle.read("SHA256SUMS").decode().splitlines():
        digest, _, name = line.partition("  ")
        listed[name] = digest
    for name, digest in listed.items():
        here = (bundle.directory / name).is_file()
        check(f"{name}: SHA256SUMS", fits=here and sha256(bundle.read(name)) == digest)
    for path in sorted(bundle.directory.rglob("*")):
        name = path.relative_to(bundle.directory).as_posix()
        if path.is_file() and name not in listed and name not in own:
            check(f"{name}: not in SHA256SUMS", fits=False)


def check_custody(bundle: Bundle) -> None:
    """Follow each exhibit from step to step, compare steps and hand-overs with the ledger; no seal is used twice."""
    told: dict[tuple[str, Any], dict[str, Any]] = {}
    for event in sorted(bundle.index["events"], key=lambda one: one["index"]):
        said = json.loads(bundle.read(f"ledger/{event['id']}.json"))
        if event["action"].startswith("custody."):
            told[said["oid"], said["data"]["seq"]] = said["data"]
        elif event["action"].startswith("hand_over."):
            told[said["oid"], "hand-over"] = said["data"]  # the newest stands last
    used: dict[tuple[Any, ...], str] = {}
    for exhibit in bundle.index.get("exhibits", []):
        check_exhibit(bundle, exhibit, told, used)
    for offer in bundle.index.get("hand_overs", []):
        data = told.pop((offer["id"], "hand-over"), {})
        check(
            f"{offer['file']}: named by the ledger",
            fits=data.get("sha256") == sha256(bundle.read(offer["file"])),
        )
    for oid, what in told:
        check(f"custody: {oid}, step {what}, of which the ledger tells, is here", fits=False)


def check_exhibit(
    bundle: Bundle,
    exhibit: dict[str, Any],
    told: dict[tuple[str, Any], dict[str, Any]],
    used: dict[tuple[Any, ...], str],
) -> None:
    """Check the steps of one exhibit: each names the hash of the one before and is named by the ledger."""
    previous: str = ""
    on_package: set[tuple[Any, ...]] = set()
    for seq, name in enumerate(exhibit["steps"], start=1):
        body = bundle.read(name)
        said = json.loads(body)
        own = (said["exhibit"], said["report"], said["seq"])
        follows = own == (exhibit["id"], bundle.index["record_id"], seq) and said["previous"] == previous
        check(f"{name}: follows from the step before", fits=follows)
        previous = sha256(body)
        data = told.pop((exhibit["id"], seq), {})
        check(
            f"{name}: named by the ledger",
            fits=(data.get("sha256"), data.get("event")) == (previous, said["id"]),
        )
        now = {(s["issuer"], s["year"], spelling(s["number"])) for s in said["seals"]}
        for seal in sorted(now - on_package, key=str):
            check(f"{name}: seal {seal[2]} was on nothing before", fits=used.setdefault(seal, name) == name)
        on_package = now
    check(f"exhibit {exhibit['label']}: has steps", fits=bool(exhibit["steps"]))


def spelling(number: str) -> str:
    """Give the spelling under which seal numbers are compared."""
    return "".join(c for c in number.upper() if c.isalnum())


def check_ledger(bundle: Bundle) -> None:
    """Check the signed head, and that it covers each event."""
    head = json.loads(bundle.read("ledger/head.json"))
    check(
        "ledger/head: signature of the server",
        fits=bundle.is_signed_by_server(head["key_id"], "ledger/head.json", "ledger/head.sig"),
    )
    if bundle.index["stamped"]:
        stamp, authority = bundle.path("ledger/head.tsr"), bundle.path("ledger/authority.pem")
        trust = ("-CAfile", authority, "-untrusted", authority)
        fits = openssl("ts", "-verify", "-data", bundle.path("ledger/head.json"), "-in", stamp, *trust)
        check("ledger/head.tsr: stamp of the authority", fits=fits)
    else:
        print("CHÚ Ý / NOTE  không có dấu thời gian / no time stamp by an outside authority")
    for event in bundle.index["events"]:
        name = f"ledger/{event['id']}"
        sealed = hashlib.sha256(bundle.read(f"{name}.salt") + bundle.read(f"{name}.json")).digest()
        leaf = hashlib.sha256(b"\0" + sealed).digest()
        same = (
            leaf.hex() == event["leaf_hash"] and json.loads(bundle.read(f"{name}.json"))["id"] == event["id"]
        )
        check(f"{name}: seal", fits=same)
        proof = [bytes.fromhex(step) for step in event["proof"]]
        root = root_from(leaf, event["index"], head["size"], proof)
        check(f"{name}: covered by the head", fits=root is not None and root.hex() == head["root"])
    told: dict[int, str] = {}
    for event in sorted(bundle.index["events"], key=lambda one: one["index"]):
        said = json.loads(bundle.read(f"ledger/{event['id']}.json"))
        same = (said["action"], said["oid"]) == (event["action"], event["record"])
        check(f"ledger/{event['id']}: is what the index says", fits=same)
        if said["oid"] == bundle.index["record_id"] and "content_sha256" in said["data"]:
            told.setdefault(said["data"]["version"], said["data"]["content_sha256"])
    for number in bundle.index["versions"]:
        content = bundle.read(f"versions/{number}/content.json")
        check(f"versions/{number}: named by the ledger", fits=told.get(number) == sha256(content))


def root_from(leaf: bytes, index: int, size: int, proof: list[bytes]) -> bytes | None:
    """Compute the root from a leaf and its inclusion proof (RFC 9162, 2.1.3.2); None when it has a wrong length."""
    at, last, found = index, size - 1, leaf
    for step in proof:
        if last == 0:
            return None
        if at & 1 or at == last:
            found = hashlib.sha256(b"\1" + step + found).digest()
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            found = hashlib.sha256(b"\1" + found + step).digest()
        at, last = at >> 1, last >> 1
    return found if last == 0 and index < size else None


def main() -> int:
    """Check everything and tell."""
    parser = argparse.ArgumentParser(description="Kiểm tra hồ sơ bằng chứng / check a bundle of evidence")
    parser.add_argument("directory", nargs="?", default=str(Path(__file__).resolve().parent))
    parser.add_argument("--server-key", metavar="KEY_ID", help="the server's key as known from elsewhere")
    options = parser.parse_args()
    try:
        bundle = Bundle(Path(options.directory))
        check_sums(bundle)
        check_keys(bundle, options.server_key)
        by = bundle.index["signed_by"]
        check(
            "SHA256SUMS: signature of the server",
            fits=bundle.is_signed_by_server(by, "SHA256SUMS", "SHA256SUMS.sig"),
        )
        for device in bundle.index["devices"]:
            check_device(bundle, device)
        for photo in bundle.index["photos"]:
            check_photo(bundle, photo)
        for number in bundle.index["versions"]:
            check_version(bundle, number)
        check_ledger(bundle)
        check_custody(bundle)
    except (OSError, ValueError, KeyError, TypeError) as error:
        print(f"KHÔNG KIỂM TRA ĐƯỢC / COULD NOT CHECK  {type(error).__name__}: {error}")
        return 1 if faults else 2
    if faults:
        print(f"{len(faults)} điểm sai trong {count} / {len(faults)} of {count} checks failed")
        return 1
    print(f"ĐÚNG: {count} phép kiểm tra / SOUND: {count} checks")
    if not options.server_key:
        print("Chưa đối chiếu khóa máy chủ / The server's key was not compared: " + ", ".join(bundle.keys))
    return 0


if __name__ == "__main__":
    sys.exit(main())
