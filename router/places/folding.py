"""Text as it is compared: without case, accents, width, marks and spaces that people leave out."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_WORD: Final = re.compile(r"[^\W_]+")
_LETTERS_OF_HANGUL: Final = re.compile("([\u3131-\u318e]+)")
_ACCENTS: Final = re.compile("[\u0300-\u036f]+")


def words(text: str) -> tuple[str, ...]:
    """The words of a text, folded: in lower case, without accents, Hangul in whole syllables."""
    return tuple(_WORD.findall(text.lower() if text.isascii() else _folded(text)))


def _folded(text: str) -> str:
    # Compatibility forms (full width and others) are folded; a lone ㄱ would become half of a syllable by that.
    parts = _LETTERS_OF_HANGUL.split(unicodedata.normalize("NFC", text))
    parts[::2] = (unicodedata.normalize("NFKC", part) for part in parts[::2])
    decomposed = unicodedata.normalize("NFD", "".join(parts).casefold())
    return unicodedata.normalize("NFC", _ACCENTS.sub("", decomposed))
