"""Captioned pictures in a notebook's cell."""

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass, field

from markupsafe import Markup
from PIL import Image, ImageDraw, ImageFont

from inrlens.reports.pictures import Picture

_SIDE = 132
"""Pixels: smaller pictures are enlarged by a whole factor until they are at least so wide."""
_GAP, _LINE = 8, 15


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
        width = max((_width(panel) for panel in self.panels), default=_SIDE)
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
                panel.picture.height * _factor(panel),
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
        width = max(_width(panel) for panel in self.panels) + _GAP
        height = max(panel.picture.height * _factor(panel) for panel in self.panels) + 2 * _LINE + _GAP
        across, rows = min(self.per_row, len(self.panels)), -(-len(self.panels) // self.per_row)
        sheet = Image.new("RGB", (across * width + _GAP, rows * height + _GAP), "white")
        pen, letters = ImageDraw.Draw(sheet), ImageFont.load_default(11)
        for index, panel in enumerate(self.panels):
            left, top = _GAP + index % self.per_row * width, _GAP + index // self.per_row * height
            image = _image(panel)
            sheet.paste(image, (left, top))
            for line, text in enumerate((panel.name, panel.numbers)):
                pen.text((left, top + image.height + 1 + line * _LINE), text, fill="black", font=letters)
        buffer = io.BytesIO()
        sheet.save(buffer, format="PNG")
        return buffer.getvalue()


def _factor(panel: Panel) -> int:
    return max(1, -(-_SIDE // panel.picture.width))


def _width(panel: Panel) -> int:
    return panel.picture.width * _factor(panel)


def _image(panel: Panel) -> Image.Image:
    with Image.open(io.BytesIO(base64.b64decode(panel.picture.uri.partition(",")[2]))) as opened:
        plain = opened.convert("RGB")
    factor = _factor(panel)
    return plain.resize((plain.width * factor, plain.height * factor), Image.Resampling.NEAREST)
