"""Hangul as it is typed: each syllable as the keys that make it, and as its initial consonant.

The standard keyboard of Korea (KS X 5002) has a key for each simple letter. What is not simple, ㅘ or ㄳ, is typed as
two keys, so a name as its keys begins with whatever has been typed of it so far. Syllables are laid out in Unicode by
initial, vowel and final (The Unicode Standard, chapter 3.12, "Conjoining Jamo Behavior").
"""

from __future__ import annotations

from typing import Final

_FIRST_SYLLABLE: Final = 0xAC00
_INITIALS: Final = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ"
_VOWELS: Final = "ㅏㅐㅑㅒㅓㅔㅕㅖㅗㅘㅙㅚㅛㅜㅝㅞㅟㅠㅡㅢㅣ"
_FINALS: Final = ("", *"ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ")
_TWO_KEYS: Final = (
    {"ㅘ": "ㅗㅏ", "ㅙ": "ㅗㅐ", "ㅚ": "ㅗㅣ", "ㅝ": "ㅜㅓ", "ㅞ": "ㅜㅔ", "ㅟ": "ㅜㅣ", "ㅢ": "ㅡㅣ"}
    | {"ㄳ": "ㄱㅅ", "ㄵ": "ㄴㅈ", "ㄶ": "ㄴㅎ", "ㄺ": "ㄹㄱ", "ㄻ": "ㄹㅁ", "ㄼ": "ㄹㅂ", "ㄽ": "ㄹㅅ", "ㄾ": "ㄹㅌ"}
    | {"ㄿ": "ㄹㅍ", "ㅀ": "ㄹㅎ", "ㅄ": "ㅂㅅ"}
)
_LATIN_KEYS: Final = "qwertyuiopasdfghjklzxcvbnmQWERTOP"
_HANGUL_KEYS: Final = "ㅂㅈㄷㄱㅅㅛㅕㅑㅐㅔㅁㄴㅇㄹㅎㅗㅓㅏㅣㅋㅌㅊㅍㅠㅜㅡㅃㅉㄸㄲㅆㅒㅖ"


def _syllables() -> tuple[dict[int, str], dict[int, str]]:
    keys = {ord(letter): pair for letter, pair in _TWO_KEYS.items()}
    initials = {ord(letter): pair for letter, pair in _TWO_KEYS.items()}
    syllable = _FIRST_SYLLABLE
    for initial in _INITIALS:
        for vowel in _VOWELS:
            for final in _FINALS:
                keys[syllable] = initial + _TWO_KEYS.get(vowel, vowel) + _TWO_KEYS.get(final, final)
                initials[syllable] = initial
                syllable += 1
    return keys, initials


_KEYS_OF, _INITIAL_OF = _syllables()
_TO_HANGUL: Final = dict(zip(map(ord, _LATIN_KEYS), _HANGUL_KEYS, strict=True))
_TO_LATIN: Final = {ord(hangul): latin.lower() for latin, hangul in zip(_LATIN_KEYS, _HANGUL_KEYS, strict=True)}


def keys(text: str) -> str:
    """The text with each Hangul syllable as the keys that type it; all else stays as it is."""
    return text.translate(_KEYS_OF)


def initials(text: str) -> str:
    """The text with each Hangul syllable as its initial consonant; all else stays as it is."""
    return text.translate(_INITIAL_OF)


def is_syllable(letter: str) -> bool:
    """Whether it is a whole syllable."""
    return "가" <= letter <= "힣"


def has_syllable(text: str) -> bool:
    """Whether there is a whole syllable in it."""
    return not text.isascii() and any(map(is_syllable, text))


def is_consonant(letter: str) -> bool:
    """Whether it is a consonant on its own, no syllable."""
    return "ㄱ" <= letter <= "ㅎ"


def is_vowel(letter: str) -> bool:
    """Whether it is a vowel on its own, no syllable."""
    return "ㅏ" <= letter <= "ㅣ"


def on_other_keyboard(text: str) -> str:
    """What the same keys type when the keyboard is switched: `rkdska` gives the keys of 강남, and 강남 gives `rkdska`.

    Latin letters become keys of Hangul where there are any; else Hangul becomes Latin letters.
    """
    if any(letter.isascii() and letter.isalpha() for letter in text):
        # With the capitals locked nothing was shifted; capitals that type nothing of their own type what small ones do.
        typed = text.lower() if text.isupper() else text
        shifted = "".join(letter if ord(letter) in _TO_HANGUL else letter.lower() for letter in typed)
        return shifted.translate(_TO_HANGUL)
    return keys(text).translate(_TO_LATIN)
