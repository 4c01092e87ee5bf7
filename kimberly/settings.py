"""Django's names, filled from `kimberly.config`. No branch on an environment's name."""

import logging
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from csp.constants import NONE, SELF

from kimberly import config
from kimberly.lib import logging as logs

try:
    KIMBERLY = config.load()
except config.WrongSettings as error:
    sys.exit(str(error))  # the same few lines from every program: web, worker, beat and commands
BASE_DIR = Path(__file__).resolve().parent.parent

SECRET_KEY = KIMBERLY.secret_key
DEBUG = False
PUBLIC = urlsplit(KIMBERLY.public_url)
ALLOWED_HOSTS = [PUBLIC.hostname or "", "127.0.0.1", "localhost", *KIMBERLY.allowed_hosts]
CSRF_TRUSTED_ORIGINS = [f"{PUBLIC.scheme}://{PUBLIC.netloc}"]

INSTALLED_APPS = [
    "ops",
    "memory",
    "kimberly.clients",
    "kimberly.audit",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "axes",
    "csp",
    "django_celery_beat",
    "django_otp",
    "django_prometheus",
]

MIDDLEWARE = [
    "kimberly.web.middleware.RequestMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.common.CommonMiddleware",
    "kimberly.web.portalonly.ShortCut",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "kimberly.web.portalonly.Inside",
]

ROOT_URLCONF = "kimberly.urls"
WSGI_APPLICATION = "kimberly.wsgi.application"
APPEND_SLASH = True

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
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


LONGEST_STATEMENT_SECONDS = 3600  # As long as the longest task.


def database(url: str) -> dict[str, Any]:
    """One of Django's DATABASES entries for a URL; query parameters go to libpq."""
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    return {
        "ENGINE": "django_prometheus.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(parts.hostname or query.pop("host", "")),
        "PORT": str(parts.port or query.pop("port", "")),
        "CONN_MAX_AGE": 60,  # 5.5 x the speed of a connection a request
        "OPTIONS": {
            "application_name": "kimberly",
            "connect_timeout": 5,
            # A database machine that vanishes says no goodbye: after 15 silent seconds its connections are given up.
            "keepalives_idle": 5,
            "keepalives_interval": 5,
            "keepalives_count": 2,
            "tcp_user_timeout": 15_000,
            "server_side_binding": True,
            "prepare_threshold": 2,
            # A request's statement has a shorter limit (kimberly/web/slots.py). A task's ends with its worker:
            # PostgreSQL looks whether anybody is there still, else a killed worker's rows would stay locked.
            "options": f"-c statement_timeout={LONGEST_STATEMENT_SECONDS * 1000} "
            "-c client_connection_check_interval=5000 "
            # Whoever waits for a lock holds a slot: the others must not wait behind them until the statement ends.
            # A query of a user of many items sorts and joins in memory. Compiling it would take longer than it does.
            # Workers for it would be started anew each time: p50 at 60,000 items 90 ms with them, 70 without.
            "-c lock_timeout=5000 -c work_mem=16MB -c jit=off -c max_parallel_workers_per_gather=0 "
            "-c idle_in_transaction_session_timeout=60000 -c timezone=UTC",
            **query,
        },
    }


DATABASES = {"default": database(KIMBERLY.database_url)}
if KIMBERLY.owner_database_url:
    DATABASES["owner"] = database(KIMBERLY.owner_database_url)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CACHES = {
    "default": {
        "BACKEND": "kimberly.web.cachebackend.CountedRedisCache",
        "LOCATION": KIMBERLY.redis_url,
        "KEY_PREFIX": "cache",
        "OPTIONS": {"socket_timeout": 0.5, "socket_connect_timeout": 0.5},
    }
}

# Sessions live in PostgreSQL: losing Redis signs nobody out. They end as ops.sessionstore says; the cookie may outlive
# them.
SESSION_ENGINE = "ops.sessionstore"
# Cookies know no ports: two stacks on one host would sign each other's people out under one name.
SESSION_COOKIE_NAME = f"kimberly_session_{PUBLIC.port or PUBLIC.scheme}"
CSRF_COOKIE_NAME = f"kimberly_csrf_{PUBLIC.port or PUBLIC.scheme}"
SESSION_COOKIE_AGE = int(timedelta(hours=12).total_seconds())
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = KIMBERLY.secure_cookies
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "ops.views.errors.csrf_failure"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "ops:overview"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]

AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
# Wrong passwords and codes are counted in PostgreSQL, by the callables of ops.services.lockouts (ADR 0012).
AXES_HANDLER = "axes.handlers.database.AxesDatabaseHandler"
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False  # who goes on trying must not lock the person out for ever
AXES_RESET_ON_SUCCESS = True
AXES_LOCKOUT_PARAMETERS = "ops.services.lockouts.counted_by"
AXES_USERNAME_CALLABLE = "ops.services.lockouts.counted_as"
AXES_CLIENT_IP_CALLABLE = "ops.services.lockouts.counted_from"
AXES_CLIENT_STR_CALLABLE = "ops.services.lockouts.unnamed"
AXES_SENSITIVE_PARAMETERS = ["username", "code", "next", "csrfmiddlewaretoken"]
AXES_DISABLE_ACCESS_LOG = True  # the audit trail has each sign-in
AXES_ENABLE_ADMIN = AXES_VERBOSE = False

SECURE_HSTS_SECONDS = int(timedelta(days=365).total_seconds()) if KIMBERLY.secure_cookies else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = KIMBERLY.secure_cookies
SECURE_HSTS_PRELOAD = KIMBERLY.secure_cookies
SECURE_SSL_REDIRECT = False  # the proxy's task: /healthz and /metrics are asked for without TLS from inside
SILENCED_SYSTEM_CHECKS = [
    "security.W008",  # would want the redirect all the same
    "axes.W002",  # its middleware would answer in place of our page
]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if KIMBERLY.trusted_proxies else None
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "object-src": [NONE],
    }
}

STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
# The image collects and hashes its files; a checkout serves them from where they lie.
WHITENOISE_USE_FINDERS = not STATIC_ROOT.exists()
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if WHITENOISE_USE_FINDERS
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}

LANGUAGE_CODE = "en"
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

CELERY_BROKER_URL = KIMBERLY.redis_url
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
DJANGO_CELERY_BEAT_TZ_AWARE = True

LOGGING_CONFIG = None
logs.configure(KIMBERLY.log_level)
logging.getLogger("axes").setLevel(logging.ERROR)  # sign-ins and lockouts are in the audit trail, and are counted
