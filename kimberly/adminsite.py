"""The portal's site: Django's admin with our own sign-in, templates and pages. Models are shown only where registered."""

from django.contrib.admin import AdminSite


class PortalSite(AdminSite):
    """Signing in, signing out and changing one's password; the pages themselves are under /ops/."""

    site_header = "Kimberly"
    site_title = "Kimberly"
    index_title = "Overview"


portal = PortalSite(name="admin")
