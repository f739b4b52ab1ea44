"""What the page of performance says, in the languages that it speaks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class PageWords:
    """The words of one language; `{}` stands for what is put in."""

    language: str
    title: str
    lead: str
    all_stations: str
    station: str
    show: str
    days: str
    champion: str
    challenger: str
    baseline: str
    persistence: str
    since: str
    newest: str
    learned: str
    alerts: str
    no_alerts: str
    nothing: str
    skill: str
    against_persistence: str
    against_damped: str
    rmse: str
    bias: str
    coverage: str
    hours_ahead: str
    figures: str
    model: str
    count: str
    mean_absolute_error: str
    drift: str


ENGLISH: Final = PageWords(
    language="en",
    title="How good the forecasts were",
    lead="Every forecast is compared with what was measured once its hour has come.",
    all_stations="All stations",
    station="Station",
    show="Show",
    days="{} days",
    champion="Champion",
    challenger="Challenger, in shadow",
    baseline="Damped persistence",
    persistence="Persistence",
    since="since {}",
    newest="Newest issue",
    learned="Calibrated until",
    alerts="Look at this",
    no_alerts="Nothing to look at.",
    nothing="No forecast has been compared yet: the first is an hour after the first readings.",
    skill="Skill: 1 - RMSE / RMSE of the reference",
    against_persistence="against persistence",
    against_damped="against damped persistence",
    rmse="RMSE, {}",
    bias="Bias: forecast - measured, {}",
    coverage="Coverage of the 80 % interval",
    hours_ahead="hours ahead",
    figures="Figures",
    model="Model",
    count="Cases",
    mean_absolute_error="MAE",
    drift="Drift",
)

KOREAN: Final = PageWords(
    language="ko",
    title="예보가 얼마나 맞았나",
    lead="모든 예보는 그 시각이 지나면 실제 측정값과 비교됩니다.",
    all_stations="모든 측정소",
    station="측정소",
    show="보기",
    days="{}일",
    champion="운영 모델",
    challenger="도전 모델",
    baseline="감쇠 지속성",
    persistence="지속성",
    since="{}부터",
    newest="최근 발표",
    learned="보정 기준",
    alerts="확인 필요",
    no_alerts="확인할 것이 없습니다.",
    nothing="아직 비교된 예보가 없습니다. 첫 측정값이 들어온 한 시간 뒤부터 보입니다.",
    skill="스킬: 1 - RMSE / 기준 RMSE",
    against_persistence="지속성 대비",
    against_damped="감쇠 지속성 대비",
    rmse="RMSE, {}",
    bias="편향: 예보 - 측정, {}",
    coverage="80 % 구간 포함률",
    hours_ahead="시간 뒤",
    figures="수치",
    model="모델",
    count="건수",
    mean_absolute_error="MAE",
    drift="변화",
)


def words_for(accept_language: str) -> PageWords:
    """The words of the language that a browser asks for first (RFC 9110, Accept-Language); else the English ones."""
    wishes = []
    for place, wish in enumerate(accept_language.split(",")):
        tag, _, weight = wish.strip().lower().partition(";q=")
        try:
            wishes.append((-float(weight or 1), place, tag.split("-")[0]))
        except ValueError:
            continue
    for _, _, tag in sorted(wishes):
        for words in (KOREAN, ENGLISH):
            if tag == words.language:
                return words
    return ENGLISH
