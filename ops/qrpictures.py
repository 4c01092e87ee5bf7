"""QR pictures, for the one page that shows one."""

import io
from importlib import import_module

from django.utils.safestring import SafeString


def of(text: str, *, title: str) -> SafeString:
    """An SVG element without styles: dark on light in every theme, since cameras want it so."""
    segno = import_module("segno")  # no other page needs it: a web process does not load it before
    svg = io.BytesIO()
    segno.make(text, error="m", micro=False).save(
        svg,
        kind="svg",
        xmldecl=False,
        nl=False,
        omitsize=True,
        border=4,
        dark="#000",
        light="#fff",
        svgclass="k-qr",
        lineclass=None,
        title=title,
    )
    return SafeString(svg.getvalue().decode())
