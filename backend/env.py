"""Every environment variable the product reads, with its type; nothing else reads `os.environ`.

Production must state what has no safe default (secret key, hosts); the error names what is missing. `HAIDANG_DEBUG=1`
is for a developer's machine alone.
"""

from __future__ import annotations

import base64
import os
from pathlib import Path
from typing import Any, Literal
from urllib.parse import unquote, urlsplit

from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from apps.sync.rules import read_versions
from apps.sync.webpush.rules import is_key

ROOT = Path(__file__).resolve().parent.parent


class Environment(BaseSettings):
    """The deployment as told by `HAIDANG_*` variables; unknown values are refused at start."""

    model_config = SettingsConfigDict(env_prefix="HAIDANG_", extra="forbid")

    data_dir: Path = ROOT / "var"
    debug: bool = False
    secret_key: SecretStr | None = None
    allowed_hosts: str = ""
    public_url: str = ""
    https: bool = True
    database_url: SecretStr = SecretStr("")
    broker_url: str = ""
    storage: Literal["local", "s3"] = "local"
    s3_endpoint: str = ""
    s3_bucket: str = ""
    s3_access_key: str = ""
    s3_secret_key: SecretStr = SecretStr("")
    s3_region: str = "us-east-1"
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["json", "console"] = "json"
    enrolment_minutes: int = Field(default=10, ge=1, le=1440)
    flash_minutes: int = Field(default=60, ge=1, le=1440)
    oidc_server_url: str = ""
    oidc_client_id: str = ""
    oidc_client_secret: SecretStr = SecretStr("")
    oidc_name: str = "SSO"
    minimum_app_version: str = ""
    push_per_minute: int = Field(default=60, ge=1)
    pulls_at_once: int = Field(default=32, ge=1)
    web_threads: int = Field(default=64, ge=2, le=512)
    tombstone_days: int = Field(default=90, ge=30)
    payload_days: int = Field(default=180, ge=30)
    receipt_days: int = Field(default=400, ge=60)
    outbox_days: int = Field(default=30, ge=1)
    server_key: SecretStr = SecretStr("")
    keys_dir: str = ""
    ledger_origin: str = "hai-dang"
    witness_dir: str = ""
    timestamp_url: str = ""
    timestamp_certificate: str = ""
    metrics_token: SecretStr = SecretStr("")
    min_app_versions: str = ""
    webpush_private_key: SecretStr = SecretStr("")
    webpush_subject: str = ""
    webpush_services: str = (
        "fcm.googleapis.com,*.push.services.mozilla.com,web.push.apple.com,*.notify.windows.com"
    )

    @model_validator(mode="before")
    @classmethod
    def _refuse_unknown(cls, given: dict[str, Any]) -> dict[str, Any]:
        known = {f"HAIDANG_{name.upper()}" for name in cls.model_fields}
        named = {name for name in os.environ if name.startswith("HAIDANG_")}
        unknown = sorted(name for name in named - known if not name.startswith("HAIDANG_TEST_"))
        if unknown:
            raise ValueError("unknown: " + ", ".join(unknown))
        return given

    @model_validator(mode="after")
    def _say_what_is_missing(self) -> Environment:
        missing = []
        if not self.debug and not self.secret_key:
            missing.append("HAIDANG_SECRET_KEY (50 random characters)")
        if not self.debug and not self.allowed_hosts:
            missing.append("HAIDANG_ALLOWED_HOSTS (comma-separated host names)")
        if self.storage == "s3" and not (self.s3_bucket and self.s3_access_key):
            missing.append("HAIDANG_S3_BUCKET and HAIDANG_S3_ACCESS_KEY")
        if self.webpush_private_key.get_secret_value() and not self.webpush_subject:
            missing.append("HAIDANG_WEBPUSH_SUBJECT (mailto: or https:)")
        if missing:
            raise ValueError("not set: " + "; ".join(missing))
        if self.server_key.get_secret_value() and not _is_seed(self.server_key.get_secret_value()):
            raise ValueError(
                "HAIDANG_SERVER_KEY: not 32 bytes in base64, as manage.py server_keys prints them"
            )
        key = self.webpush_private_key.get_secret_value()
        if key and not is_key(key, 32):
            raise ValueError("HAIDANG_WEBPUSH_PRIVATE_KEY: not made by manage.py webpush_keys")
        try:
            read_versions(self.min_app_versions)
        except ValueError as error:
            raise ValueError(f"HAIDANG_MIN_APP_VERSIONS: {error}") from None
        return self

    @property
    def hosts(self) -> list[str]:
        """The host names this deployment answers to."""
        named = [h.strip() for h in self.allowed_hosts.split(",") if h.strip()]
        return named or ["localhost", "127.0.0.1", "[::1]"]

    def database(self) -> dict[str, object]:
        """Give Django's database settings: SQLite in the data directory unless `database_url` names PostgreSQL."""
        url = self.database_url.get_secret_value()
        if not url:
            return _sqlite(self.data_dir.resolve() / "haidang.sqlite3")
        parts = urlsplit(url)
        if parts.scheme == "sqlite":
            return _sqlite(Path(unquote(parts.path[1:] if parts.path.startswith("//") else parts.path)))
        if parts.scheme not in {"postgres", "postgresql"}:
            raise ValueError(
                f"HAIDANG_DATABASE_URL: unknown scheme {parts.scheme!r}; use sqlite or postgresql"
            )
        host = next((v for k, v in _query(parts.query) if k == "host"), parts.hostname or "")
        return {
            "ENGINE": "apps.common.postgresql",
            "NAME": parts.path.lstrip("/"),
            "USER": unquote(parts.username or ""),
            "PASSWORD": unquote(parts.password or ""),
            "HOST": host,
            "PORT": str(parts.port or ""),
            "CONN_MAX_AGE": None,  # one for each thread, and threads are few
            "CONN_HEALTH_CHECKS": True,
            "OPTIONS": {"prepare_threshold": 5},
        }


def _is_seed(text: str) -> bool:
    try:
        return len(base64.b64decode(text, validate=True)) == 32
    except ValueError:
        return False


def _sqlite(file: Path) -> dict[str, object]:
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(file),
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; "
            "PRAGMA cache_size=-32000;",
        },
    }


def _query(text: str) -> list[tuple[str, str]]:
    return [(k, unquote(v)) for k, _, v in (pair.partition("=") for pair in text.split("&") if pair)]


def read() -> Environment:
    """Read the environment, and below it `haidang.env` in the data directory (written by `manage.py demo`).

    Ends the process with a plain sentence when something is missing or malformed.
    """
    data_dir = Path(os.environ.get("HAIDANG_DATA_DIR", ROOT / "var"))
    try:
        return Environment(_env_file=data_dir / "haidang.env")
    except ValidationError as error:
        lines = [f"  {'.'.join(map(str, e['loc'])) or 'environment'}: {e['msg']}" for e in error.errors()]
        raise SystemExit("Hải Đăng cannot start:\n" + "\n".join(lines)) from None


env = read()
