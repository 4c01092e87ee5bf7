"""The operators' pages. Each is listed with its roles in ops.roles.PAGES."""

from ops.views import account, actions, refusals, searches, staffsessions, users
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
    page("refusals/", refusals.index, name="refusals"),
    page("account/", account.account, name="account"),
    page("account/second-factor/", account.second_factor, name="second-factor"),
    page("account/recovery-codes/", account.recovery_codes, name="recovery-codes"),
    page("account/sessions/<uuid:session>/end/", account.end_own_session, name="end-own-session"),
    page("account/sessions/end-others/", account.end_own_others, name="end-own-others"),
    page("staff/sessions/", staffsessions.index, name="staff-sessions"),
    page("staff/<int:staff>/end-sessions/", staffsessions.end, name="end-sessions"),
]
