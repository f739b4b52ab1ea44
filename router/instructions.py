"""Steps of a way in words, English and Korean."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from router.steps import Maneuver, Step


class Language(StrEnum):
    """A language that steps are told in."""

    ENGLISH = "en"
    KOREAN = "ko"


_SECTOR_DEGREES: Final = 45.0
_ENGLISH_SECTORS: Final = ("north", "northeast", "east", "southeast", "south", "southwest", "west", "northwest")
_KOREAN_SECTORS: Final = ("북쪽", "북동쪽", "동쪽", "남동쪽", "남쪽", "남서쪽", "서쪽", "북서쪽")

_ENGLISH: Final[Mapping[Maneuver, str]] = {
    Maneuver.CONTINUE: "Go straight on",
    Maneuver.SLIGHT_LEFT: "Bear left",
    Maneuver.LEFT: "Turn left",
    Maneuver.SHARP_LEFT: "Turn sharp left",
    Maneuver.SLIGHT_RIGHT: "Bear right",
    Maneuver.RIGHT: "Turn right",
    Maneuver.SHARP_RIGHT: "Turn sharp right",
    Maneuver.U_TURN: "Turn round",
    Maneuver.TAKE_STEPS: "Take the steps",
    Maneuver.ARRIVE: "You have arrived",
}
_KOREAN: Final[Mapping[Maneuver, str]] = {
    Maneuver.CONTINUE: "직진하세요",
    Maneuver.SLIGHT_LEFT: "왼쪽으로 비스듬히 가세요",
    Maneuver.LEFT: "좌회전하세요",
    Maneuver.SHARP_LEFT: "왼쪽으로 크게 도세요",
    Maneuver.SLIGHT_RIGHT: "오른쪽으로 비스듬히 가세요",
    Maneuver.RIGHT: "우회전하세요",
    Maneuver.SHARP_RIGHT: "오른쪽으로 크게 도세요",
    Maneuver.U_TURN: "되돌아가세요",
    Maneuver.TAKE_STEPS: "계단을 이용하세요",
    Maneuver.ARRIVE: "목적지에 도착했습니다",
}

_FIRST_SYLLABLE, _LAST_SYLLABLE = "가", "힣"
_FINALS: Final = 28
_RIEUL: Final = 8
# The finals of 영 일 이 삼 사 오 육 칠 팔 구, as Hangul counts them.
_FINAL_OF_DIGIT: Final = (21, 8, 0, 16, 0, 0, 1, 8, 8, 0)


def instruction(step: Step, language: Language) -> str:
    """What to do, such as `Turn left into Seoul-ro`."""
    match language:
        case Language.ENGLISH:
            return _in_english(step)
        case Language.KOREAN:
            return _in_korean(step)


def _in_english(step: Step) -> str:
    if step.maneuver is Maneuver.DEPART:
        along = f" along {step.street}" if step.street else ""
        return f"Go {_sector(step.bearing, _ENGLISH_SECTORS)}{along}"
    said = _ENGLISH[step.maneuver]
    if not step.street:
        return said
    return f"{said} {'along' if step.maneuver is Maneuver.TAKE_STEPS else 'into'} {step.street}"


def _in_korean(step: Step) -> str:
    if step.maneuver is Maneuver.DEPART:
        along = f"{step.street}{_particle(step.street, '을', '를')} 따라 " if step.street else ""
        return f"{along}{_sector(step.bearing, _KOREAN_SECTORS)}으로 출발하세요"
    said = _KOREAN[step.maneuver]
    if not step.street:
        return said
    if step.maneuver is Maneuver.TAKE_STEPS:
        return f"{step.street} {said}"
    return f"{step.street}{_direction(step.street)} {said}"


def _sector(bearing: float, names: tuple[str, ...]) -> str:
    return names[round(bearing / _SECTOR_DEGREES) % len(names)]


def _direction(word: str) -> str:
    """로 after a vowel or ㄹ, 으로 after another consonant; both where the sound is not known."""
    final = _final_consonant(word)
    if final is None:
        return "(으)로"
    return "로" if final in {0, _RIEUL} else "으로"


def _particle(word: str, after_consonant: str, after_vowel: str) -> str:
    """The form that follows the word's sound; both where that is not known."""
    final = _final_consonant(word)
    if final is None:
        return f"{after_consonant}({after_vowel})"
    return after_consonant if final else after_vowel


def _final_consonant(word: str) -> int | None:
    """Which consonant the word ends in, as Hangul counts them, 0 for none; None where its sound is not known."""
    last = next((letter for letter in reversed(word) if letter.isalnum()), "")
    if _FIRST_SYLLABLE <= last <= _LAST_SYLLABLE:
        return (ord(last) - ord(_FIRST_SYLLABLE)) % _FINALS
    return _FINAL_OF_DIGIT[int(last)] if last.isascii() and last.isdigit() else None
