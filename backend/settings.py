"""Django settings, read from `backend.env`; no value here is unsafe by default."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import structlog

from apps.sync.rules import Keep, read_versions
from apps.sync.webpush.rules import WebPush
from backend.env import ROOT, env
from backend.logs import logging_config

BASE_DIR = ROOT
DATA_DIR = env.data_dir.resolve()
DEBUG = env.debug
SECRET_KEY = (
    env.secret_key.get_secret_value() if env.secret_key else "only-for-a-developer-machine-" + "x" * 40
)
ALLOWED_HOSTS = env.hosts
PUBLIC_URL = env.public_url
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL] if PUBLIC_URL else []

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "apps.common",
    "apps.changes",
    "apps.audit",
    "apps.organisation",
    "apps.accounts",
    "apps.reference",
    "apps.checklists",
    "apps.evidence",
    "apps.inspections",
    "apps.seizures",
    "apps.custody",
    "apps.reporting",
    "apps.sync",
    "apps.console",
    "apps.field",
    "mobile_api",
    "backend",
]

MIDDLEWARE = [
    "backend.middleware.RequestContextMiddleware",
    "apps.console.headers.ConsoleHeadersMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "backend.middleware.LanguageMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "backend.middleware.ActorMiddleware",
]
# The same without what cookies, forms and static files need (backend/wsgi.py).
PHONE_MIDDLEWARE = [
    "backend.middleware.RequestContextMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "backend.middleware.LanguageMiddleware",
]

ROOT_URLCONF = "backend.urls"
WSGI_APPLICATION = "backend.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "apps" / "console" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]

DATABASES = {"default": env.database()}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
CACHES = {
    "default": (
        {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": env.broker_url}
        if env.broker_url.startswith(("redis:", "rediss:"))
        else {
            "BACKEND": "django.core.cache.backends.filebased.FileBasedCache",
            "LOCATION": DATA_DIR / "cache",
        }
    )
}

# Files: originals and derivatives. No URL is ever served from here without a check.
_local = {"BACKEND": "django.core.files.storage.FileSystemStorage"}


def _s3(location: str = "") -> dict[str, object]:
    """Give the storage on S3, with time-outs that a waiting phone can bear; its client is slow to load."""
    from botocore.config import Config  # noqa: PLC0415  only where S3 is used

    style = "path" if env.s3_endpoint else "auto"
    client = Config(
        connect_timeout=5,
        read_timeout=30,
        retries={"max_attempts": 3, "mode": "standard"},
        signature_version="s3v4",
        s3={"addressing_style": style},
    )
    options = {
        "bucket_name": env.s3_bucket,
        "access_key": env.s3_access_key,
        "secret_key": env.s3_secret_key.get_secret_value(),
        "endpoint_url": env.s3_endpoint or None,
        "region_name": env.s3_region,
        "client_config": client,
        "file_overwrite": True,
        "location": location,
        "querystring_auth": True,
        "querystring_expire": 300,
    }
    return {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": options}


STORAGES = {
    "default": _local,
    "evidence": (
        {**_local, "OPTIONS": {"location": str(DATA_DIR / "evidence")}} if env.storage == "local" else _s3()
    ),
    "snapshots": (
        {**_local, "OPTIONS": {"location": str(DATA_DIR / "snapshots")}}
        if env.storage == "local"
        else _s3("snapshots")
    ),
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"},
}
MEDIA_ROOT = DATA_DIR / "media"
STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG
FIELD_APP_DIR = BASE_DIR / "apps" / "field" / "built"  # made by `backend.phone_app`

LANGUAGE_CODE = "vi"
LANGUAGES = [("vi", "Tiếng Việt"), ("en", "English")]
TIME_ZONE = "Asia/Ho_Chi_Minh"
USE_TZ = True
USE_I18N = True

AUTH_USER_MODEL = "accounts.Officer"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/console/"
LOGOUT_REDIRECT_URL = "/console/"

ACCOUNT_ADAPTER = "apps.console.sign_in.ConsoleAccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_REAUTHENTICATION_TIMEOUT = 300
ACCOUNT_RATE_LIMITS = {"login_failed": "10/15m/key,50/15m/ip"}
ACCOUNT_USER_MODEL_EMAIL_FIELD = "email"
ACCOUNT_FORMS = {"change_password": "apps.console.sign_in.PasswordChangeForm"}
MFA_ADAPTER = "apps.console.sign_in.ConsoleMFAAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "Hải Đăng"
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = DEBUG
SOCIALACCOUNT_ADAPTER = "apps.console.sign_in.ConsoleSocialAccountAdapter"
SOCIALACCOUNT_ONLY = False
SOCIALACCOUNT_PROVIDERS = (
    {
        "openid_connect": {
            "OAUTH_PKCE_ENABLED": True,
            "APPS": [
                {
                    "provider_id": "sso",
                    "name": env.oidc_name,
                    "client_id": env.oidc_client_id,
                    "secret": env.oidc_client_secret.get_secret_value(),
                    "settings": {"server_url": env.oidc_server_url},
                }
            ],
        }
    }
    if env.oidc_server_url
    else {}
)

SESSION_COOKIE_AGE = 8 * 3600
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = env.https
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SECURE_SSL_REDIRECT = env.https
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env.https else None
SECURE_HSTS_SECONDS = 31_536_000 if env.https else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = env.https
SECURE_REDIRECT_EXEMPT = [r"^health$"]
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
APPEND_SLASH = True

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["mobile_api.authentication.DeviceAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["mobile_api.authentication.IsEnrolledDevice"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["mobile_api.parsers.StrictJSONParser"],
    "DEFAULT_SCHEMA_CLASS": "mobile_api.openapi.ProblemAwareSchema",
    "EXCEPTION_HANDLER": "mobile_api.problems.handle",
    "UNAUTHENTICATED_USER": None,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Hải Đăng phone API",
    "DESCRIPTION": "Checklists down, inspections and photos up, offline first. See docs/sync.md for the protocol "
    "and docs/records.md for the fields.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "SCHEMA_PATH_PREFIX": "/mobile/v1",
    "COMPONENT_SPLIT_REQUEST": True,
}

REACTIONS = "backend.reactions.REACTIONS"

# The product's own limits (docs/sync.md, docs/security.md).
MINIMUM_APP_VERSION = env.minimum_app_version
PUSH_PER_MINUTE = env.push_per_minute
WEB_THREADS = env.web_threads
PULLS_AT_ONCE = min(env.pulls_at_once, WEB_THREADS // 2)
KEEP = Keep(env.tombstone_days, env.payload_days, env.receipt_days, env.outbox_days)
# The server's signing key and the ledger (docs/evidence.md).
SERVER_KEY = env.server_key.get_secret_value()
KEYS_DIR = Path(env.keys_dir).resolve() if env.keys_dir else DATA_DIR / "keys"
MAKES_OWN_KEY = not env.https
LEDGER_ORIGIN = env.ledger_origin
WITNESS_DIR = env.witness_dir
TIMESTAMP_URL, TIMESTAMP_CERTIFICATE = env.timestamp_url, env.timestamp_certificate
METRICS_TOKEN = env.metrics_token.get_secret_value()
MIN_APP_VERSIONS = read_versions(env.min_app_versions)
WEBPUSH = WebPush(env.webpush_private_key.get_secret_value(), env.webpush_subject, env.webpush_services)
FLASH_WITHIN = timedelta(minutes=env.flash_minutes)
ENROLMENT_CODE_LIFETIME = timedelta(minutes=env.enrolment_minutes)
ACCESS_TOKEN_LIFETIME = timedelta(minutes=15)
REFRESH_TOKEN_LIFETIME = timedelta(days=90)
REFRESH_REPLAY_WINDOW = timedelta(seconds=60)
MOVED_OFFICER_GRACE = timedelta(days=7)

LOGGING_CONFIG = None
structlog.configure(**logging_config(level=env.log_level, style=env.log_format))
