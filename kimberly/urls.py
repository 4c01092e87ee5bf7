"""Every address of the service."""

from django.urls import include, path
from django.views.generic import RedirectView

from kimberly.adminsite import portal
from kimberly.api import api
from kimberly.web.sharedcounters import install
from ops.views import docs, health, metrics

install()

handler400 = "ops.views.errors.bad_request"
handler403 = "ops.views.errors.forbidden"
handler404 = "ops.views.errors.not_found"
handler500 = "ops.views.errors.server_error"

urlpatterns = [
    path("api/v1/docs", docs.api_docs, {"api": api}, name="api-docs"),
    path("api/v1/", api.urls),
    path("", RedirectView.as_view(pattern_name="ops:overview"), name="home"),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", metrics.scrape, name="metrics"),
    path("problems/<slug:slug>", docs.problem, name="problem"),
    path("ops/", include("ops.urls")),
    path("admin/", portal.urls),
]
