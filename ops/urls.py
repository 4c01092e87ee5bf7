"""The operators' pages."""

from django.urls import path
from django.views.generic import RedirectView

app_name = "ops"
urlpatterns: list = [path("users/", RedirectView.as_view(url="/admin/"), name="users")]
