"""The operators' pages. Each is listed with its roles in ops.roles.PAGES."""

from ops.views import actions, burst, expiring, refusals, searches, users
from ops.views.pages import page

app_name = "ops"
urlpatterns = [
    page("users/", users.index, name="users"),
    page("users/<str:user>/", users.one, name="user"),
    page("users/<str:user>/throttle/", actions.throttle, name="throttle"),
    page("users/<str:user>/raise-quota/", actions.raise_quota, name="raise-quota"),
    page("users/<str:user>/reveal/", actions.reveal, name="reveal"),
    page("users/<str:user>/search/", searches.search, name="search"),
    page("throttles/<str:measure>/lift/", actions.lift_throttle, name="lift-throttle"),
    page("overrides/<str:measure>/end/", actions.end_override, name="end-override"),
    page("reveals/<uuid:reveal>/mask/", actions.mask, name="mask"),
    page("burst/", burst.index, name="burst"),
    page("expiring/", expiring.index, name="expiring"),
    page("refusals/", refusals.index, name="refusals"),
]
