"""django-oauth-toolkit on a free port of this machine, told what to do by a test (tests/e2e/src/authorization_server.rs):
each line of standard input is `[command, argument]`, and each is answered by one line of JSON. It ends with its input."""

import io
import json
import os
import shutil
import sys
import tempfile
import threading
from socketserver import ThreadingMixIn
from urllib.parse import parse_qs
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

import django
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import settings

USER, PASSWORD = "ana", "ana's own password"
SCOPES = ["openid", "profile", "email", "read", "write"]
APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "oauth2_provider",
    "corsheaders",
]

# What was asked of the server, oldest first, with what it answered.
requests = []


class Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True
    request_queue_size = 64


class Quiet(WSGIRequestHandler):
    def log_message(self, *_):
        pass


def recorded(application):
    """One request at a time, so that SQLite is never in two minds, and a record of each."""
    turn = threading.Lock()

    def answer(environ, start_response):
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        names = {name: name[5:].replace("_", "-").lower() for name in environ if name.startswith("HTTP_")}
        request = {
            "method": environ["REQUEST_METHOD"],
            "path": environ["PATH_INFO"],
            "query": environ["QUERY_STRING"],
            "headers": {header: environ[name] for name, header in names.items()},
            "form": {name: values[0] for name, values in parse_qs(body.decode("utf-8", "replace")).items()},
        }
        requests.append(request)

        def start(status, headers, *rest):
            request["status"] = int(status.split()[0])
            request["answer"] = {"headers": {name.lower(): value for name, value in headers}}
            return start_response(status, headers, *rest)

        with turn:
            chunks = list(application(environ, start))
            request["answer"]["body"] = b"".join(chunks).decode("utf-8", "replace")
        return chunks

    return answer


def configure(directory, app, more):
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    settings.configure(
        SECRET_KEY="a key for the tests alone",
        ALLOWED_HOSTS=["127.0.0.1", "localhost"],
        ROOT_URLCONF="urls",
        INSTALLED_APPS=APPS,
        # The tables as they are now, without their history: a tenth of the time.
        MIGRATION_MODULES={name.split(".")[-1]: None for name in APPS},
        MIDDLEWARE=[
            "corsheaders.middleware.CorsMiddleware",
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.middleware.common.CommonMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
        ],
        TEMPLATES=[
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "DIRS": [os.path.join(os.path.dirname(os.path.abspath(__file__)), "templates")],
                "APP_DIRS": True,
                "OPTIONS": {
                    "context_processors": [
                        "django.template.context_processors.request",
                        "django.contrib.auth.context_processors.auth",
                    ]
                },
            }
        ],
        DATABASES={
            "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.path.join(directory, "database")}
        },
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        USE_TZ=True,
        LOGIN_URL="/login/",
        CORS_ALLOWED_ORIGINS=[app],
        OAUTH2_PROVIDER={
            "OAUTH2_VALIDATOR_CLASS": "urls.Validator",
            "OIDC_ENABLED": True,
            "OIDC_RSA_PRIVATE_KEY": key.decode(),
            "OIDC_RP_INITIATED_LOGOUT_ENABLED": True,
            "SCOPES": {scope: f"Permission: {scope}" for scope in SCOPES},
            "DEFAULT_SCOPES": ["read"],
            "PKCE_REQUIRED": True,
            "REQUEST_APPROVAL_PROMPT": "auto",
            "REFRESH_TOKEN_REUSE_PROTECTION": True,
            "ALLOWED_SCHEMES": ["http", "https"],
            "COMPLIANT_BCP_RFC9700_PKCE_METHOD": True,
            "COMPLIANT_BCP_RFC9700_ACCESS_TOKEN_TRANSPORT": True,
            "COMPLIANT_BCP_RFC9700_AUTHZ_RESPONSE_ISS": True,
            # Or it would go by the first values of its settings.
            "ALWAYS_RELOAD_OAUTHLIB_CORE": True,
            "ACCESS_TOKEN_EXPIRE_SECONDS": 3600,
            **more,
        },
    )
    django.setup()


def fill(app):
    from django.contrib.auth import get_user_model
    from django.core.management import call_command
    from oauth2_provider.models import get_application_model

    call_command("migrate", run_syncdb=True, verbosity=0)
    get_user_model().objects.create_user(USER, f"{USER}@example.org", PASSWORD)
    Application = get_application_model()
    pages = " ".join(f"{app}{path}" for path in ["/e2e/app.html", "/"])
    for name, grant in [
        ("page", Application.GRANT_AUTHORIZATION_CODE),
        ("implicit", Application.GRANT_IMPLICIT),
        ("hybrid", Application.GRANT_OPENID_HYBRID),
    ]:
        Application.objects.create(
            client_id=name,
            name=name,
            client_type=Application.CLIENT_PUBLIC,
            authorization_grant_type=grant,
            redirect_uris=pages,
            post_logout_redirect_uris=f"{app}/e2e/blank.html",
            algorithm=Application.RS256_ALGORITHM,
            allowed_origins=app,
        )


def start(argument):
    from django.core.wsgi import get_wsgi_application

    configure(directory, argument.pop("app"), argument)
    fill(settings.CORS_ALLOWED_ORIGINS[0])
    server = Server(("127.0.0.1", 0), Quiet)
    server.set_app(recorded(get_wsgi_application()))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    # An issuer with a path: its metadata stands in two places.
    return {"issuer": f"http://127.0.0.1:{server.server_port}/o"}


def forget(_):
    requests.clear()


def change(changes):
    """Settings of the toolkit, while it runs."""
    from oauth2_provider.settings import oauth2_settings

    for name, value in changes.items():
        setattr(oauth2_settings, name, value)


def expire(model):
    """What the server stores of one kind has ended: `AccessToken`, `RefreshToken`, `Session`."""
    from datetime import timedelta

    from django.contrib.sessions.models import Session
    from django.utils import timezone
    from oauth2_provider import models

    past = timezone.now() - timedelta(hours=1)
    if model == "AccessToken":
        return models.get_access_token_model().objects.update(expires=past)
    if model == "RefreshToken":
        return models.get_refresh_token_model().objects.update(revoked=past)
    return Session.objects.update(expire_date=past)


COMMANDS = {"start": start, "requests": lambda _: requests, "forget": forget, "change": change, "expire": expire}

directory = tempfile.mkdtemp(prefix="e2e-django-")
try:
    for line in sys.stdin:
        command, argument = json.loads(line)
        print(json.dumps(COMMANDS[command](argument)), flush=True)
finally:
    shutil.rmtree(directory, ignore_errors=True)
