"""The operators' pages. Each is listed with its roles in ops.roles.PAGES."""

from ops.views import (
    actions,
    burst,
    expiring,
    finding,
    items,
    overview,
    persons,
    refusals,
    searches,
    shortcuts,
    undo,
    users,
    zones,
)
from ops.views.pages import page

app_name = "ops"
urlpatterns = [
    page("", overview.index, name="overview"),
    page("find/", finding.index, name="find"),
    page("users/", users.index, name="users"),
    page("users/<str:user>/", users.one, name="user"),
    page("users/<str:user>/throttle/", actions.throttle, name="throttle"),
    page("users/<str:user>/raise-quota/", actions.raise_quota, name="raise-quota"),
    page("users/<str:user>/items/protect/", items.protect, name="protect"),
    page("users/<str:user>/items/unprotect/", items.unprotect, name="unprotect"),
    page("users/<str:user>/items/delete/", items.delete, name="delete-items"),
    page("users/<str:user>/items/restore/", items.restore, name="restore-items"),
    page("users/<str:user>/suspend/", persons.suspend, name="suspend"),
    page("users/<str:user>/resume/", persons.resume, name="resume"),
    page("users/<str:user>/note/", persons.note, name="note"),
    page("notes/<uuid:note>/change/", persons.change_note, name="change-note"),
    page("acts/<uuid:act>/undo/", undo.undo, name="undo"),
    page("zone/", zones.choose, name="zone"),
    page("shortcuts/", shortcuts.index, name="shortcuts"),
    page("users/<str:user>/reveal/", actions.reveal, name="reveal"),
    page("users/<str:user>/search/", searches.search, name="search"),
    page("throttles/<str:measure>/lift/", actions.lift_throttle, name="lift-throttle"),
    page("overrides/<str:measure>/end/", actions.end_override, name="end-override"),
    page("reveals/<uuid:reveal>/mask/", actions.mask, name="mask"),
    page("burst/", burst.index, name="burst"),
    page("expiring/", expiring.index, name="expiring"),
    page("refusals/", refusals.index, name="refusals"),
]
