"""Drawing any word: fonts that have its characters, and no mark-up read into it."""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from matplotlib.text import Text

# matplotlib brings this font, so it is always there.
_BASE = "DejaVu Sans"
# Families with many scripts, asked first; the machine's others follow in alphabetical order.
_BROAD = ("Noto Sans", "Source Han", "PingFang", "Hiragino", "Microsoft", "Malgun", "WenQuanYi")
_NO_GLYPH = "▯"


@dataclass(frozen=True)
class Lettering:
    """Fonts for a set of texts, and the characters that none of the machine's fonts has."""

    families: tuple[str, ...]
    missing: frozenset[str]

    def drawn(self, text: str, limit: int = 32) -> str:
        """``text`` as it can be drawn: on one line, at most ``limit`` characters."""
        if not text.strip():
            return repr(text)
        shown = "".join(map(self._character, text))
        return shown if len(shown) <= limit else shown[: limit - 1] + "…"

    def style(self, size: float, **others: Any) -> dict[str, Any]:
        """Arguments for a matplotlib Text: these fonts, and ``$`` and ``_`` as they stand."""
        plain = {"parse_math": False, "usetex": False}
        return {"fontfamily": list(self.families), "fontsize": size, **plain, **others}

    def _character(self, character: str) -> str:
        if unicodedata.category(character) in ("Cc", "Zl", "Zp"):
            return character.encode("unicode_escape").decode()
        if character in self.missing:
            invisible = unicodedata.category(character) == "Cf"
            return "" if invisible else _NO_GLYPH
        return character


def lettering_for(texts: Iterable[str]) -> Lettering:
    """Choose fonts from those installed until every character of ``texts`` has one, if possible."""
    from matplotlib.font_manager import fontManager

    missing = _without_glyph(set().union(*texts), _BASE)
    families = [_BASE]
    if missing:
        names = {
            entry.name
            for entry in fontManager.ttflist
            if (entry.style, entry.weight, entry.stretch) == ("normal", 400, "normal")
            # This one has a picture for every character, which says only what script it is from.
            and not entry.name.startswith("Last Resort")
        }
        for name in sorted(names, key=lambda name: (not name.startswith(_BROAD), name)):
            left = _without_glyph(missing, name)
            if left != missing:
                families.append(name)
                missing = left
            if not missing:
                break
    return Lettering(tuple(families), frozenset(missing))


def measured(
    figure: "Figure", texts: Iterable[str], style: dict[str, Any]
) -> tuple[list["Text"], npt.NDArray[np.float64]]:
    """A matplotlib Text for each text, not yet drawn, and widths and heights in points, (n, 2)."""
    from matplotlib.backends.backend_agg import RendererAgg
    from matplotlib.text import Text

    drawn = [Text(0, 0, text, **style) for text in texts]
    sizes = np.zeros((len(drawn), 2))
    # Letters are fitted to pixels, so a text's size varies with the resolution. Take the larger,
    # so that there is room on a coarse screen too.
    for dpi in (72.0, figure.dpi):
        renderer = RendererAgg(1, 1, dpi)  # type: ignore[no-untyped-call]
        for size, text in zip(sizes, drawn, strict=True):
            text.set_figure(figure)
            extent = text.get_window_extent(renderer, dpi=dpi)
            size[:] = np.maximum(size, np.array([extent.width, extent.height]) * 72 / dpi)
    return drawn, sizes


def _without_glyph(characters: set[str], family: str) -> set[str]:
    from matplotlib.font_manager import findfont, get_font

    font = get_font(findfont(family))
    return {one for one in characters if not font.get_char_index(ord(one))}
