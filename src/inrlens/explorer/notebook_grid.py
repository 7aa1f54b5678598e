"""Captioned pictures in a notebook's cell."""

import io
from collections.abc import Sequence
from dataclasses import dataclass, field

from markupsafe import Markup

from inrlens.reports.pictures import Picture
from inrlens.reports.sheet import SIDE, Tile, enlargement, sheet


@dataclass(frozen=True)
class Panel:
    """One picture, its name, and a line of numbers about it."""

    name: str
    numbers: str
    picture: Picture


@dataclass(frozen=True)
class Cell:
    """Panels in rows of ``per_row``, under a caption; Jupyter shows them as HTML, others as one PNG."""

    caption: str
    panels: Sequence[Panel] = field(repr=False)
    per_row: int = 6

    def _repr_html_(self) -> str:
        width = max((_width(panel) for panel in self.panels), default=SIDE)
        columns = f"repeat({min(self.per_row, len(self.panels)) or 1}, {width}px)"
        figures = Markup("\n").join(
            Markup(
                '<figure style="margin:0"><img src="{}" alt="{}" width="{}" height="{}" '
                'style="image-rendering:pixelated;max-width:none">'
                '<figcaption style="font-size:12px;line-height:1.3">{}<br><small>{}</small></figcaption></figure>'
            ).format(
                panel.picture.uri,
                panel.picture.alt,
                _width(panel),
                panel.picture.height * enlargement(panel.picture),
                panel.name,
                panel.numbers,
            )
            for panel in self.panels
        )
        return str(
            Markup(
                '<div style="overflow-x:auto"><p style="margin:0 0 6px">{}</p>\n'
                '<div style="display:grid;gap:8px;grid-template-columns:{}">\n{}\n</div></div>'
            ).format(self.caption, columns, figures)
        )

    def _repr_png_(self) -> bytes | None:
        if not self.panels:
            return None
        buffer = io.BytesIO()
        tiles = [Tile(panel.picture, (panel.name, panel.numbers)) for panel in self.panels]
        sheet(tiles, self.per_row).save(buffer, format="PNG")
        return buffer.getvalue()


def _width(panel: Panel) -> int:
    return panel.picture.width * enlargement(panel.picture)
