"""The envelope of an answer of data.go.kr, in all the forms that were seen, and the errors that come in its place."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from ingestion.source import (
    SourceError,
    SourceQuotaExceeded,
    SourceRefused,
    SourceTooOld,
    SourceUnavailable,
    SourceUnreadable,
)

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
Row: TypeAlias = Mapping[str, Json]

_NORMAL: Final = "0"
_NO_DATA: Final = "3"
_WRONG_PARAMETER: Final = "10"
_QUOTA: Final = "22"
# The codes of data.go.kr. All but the first five say that asking again will not help.
_CODES: Final[Mapping[str, str]] = {
    "1": "APPLICATION_ERROR",
    "4": "HTTP_ERROR",
    "5": "SERVICETIMEOUT_ERROR",
    "23": "LIMITED_NUMBER_OF_SERVICE_REQUESTS_PER_SECOND_EXCEEDS_ERROR",
    "99": "UNKNOWN_ERROR",
    _WRONG_PARAMETER: "INVALID_REQUEST_PARAMETER_ERROR",
    "12": "NO_OPENAPI_SERVICE_ERROR",
    "20": "SERVICE_ACCESS_DENIED_ERROR",
    _QUOTA: "LIMITED_NUMBER_OF_SERVICE_REQUESTS_EXCEEDS_ERROR",
    "30": "SERVICE_KEY_IS_NOT_REGISTERED_ERROR",
    "31": "DEADLINE_HAS_EXPIRED_ERROR",
    "32": "UNREGISTERED_IP_ERROR",
}
_RETRYABLE: Final = frozenset({"1", "4", "5", "23", "99"})
_HTTP_OK: Final = 200
_HTTP_HIGHEST: Final = 599
_HTTP_SERVER_ERROR: Final = 500
_HTTP_RETRYABLE: Final = frozenset({408, 425, 429})
_XML_CODE: Final = re.compile(r"<(?:returnReasonCode|resultCode)>\s*(\d{1,6})\s*</")
_CODE: Final = re.compile(r"[0-9]{1,6}")
_COUNT: Final = re.compile(r"[0-9]{1,9}")
# "최근 1일 간의 자료만 제공합니다.": the weather service says that it serves the last day alone, under the code for a
# wrong parameter.
_ONLY_RECENT: Final = re.compile(r"최근\s*\d{1,3}\s*일")


@dataclass(frozen=True, slots=True)
class Answer:
    """One page of rows, and how many there are in all as far as the answer says."""

    rows: tuple[Row, ...]
    total_count: int


def read_answer(status_code: int, body: bytes) -> Answer:
    """The rows of an answer; none when it says that there are none.

    Raises SourceUnavailable, SourceRefused, SourceTooOld, SourceQuotaExceeded or SourceUnreadable, whatever the bytes
    are.
    """
    content = _parse(body)
    refused = _apihub_status(content)
    if refused is not None:
        raise http_error(refused)
    code = _xml_code(body) if content is None else _json_code(content)
    # The gateway's own code tells more than the HTTP status, which is 200, 401 or 403 for the very same error.
    if code == _WRONG_PARAMETER and _ONLY_RECENT.search(_message(content)):
        raise SourceTooOld("the network serves only what is recent", code=code)
    if code is not None and code not in {_NORMAL, _NO_DATA}:
        raise gateway_error(code)
    if status_code != _HTTP_OK:
        raise http_error(status_code)
    if code == _NO_DATA:
        return Answer((), 0)
    if not isinstance(content, dict) or code is None:
        raise SourceUnreadable("the network's answer is not one that this service can read", code="UNREADABLE")
    response = content.get("response")
    return _read_body(response.get("body") if isinstance(response, dict) else None)


def gateway_error(code: str) -> SourceError:
    """The error behind a code of data.go.kr."""
    message = f"the network answered with error {code} {_CODES.get(code, '')}".rstrip()
    if code in _RETRYABLE:
        return SourceUnavailable(f"{message}: try again later", code=code)
    if code == _QUOTA:
        return SourceQuotaExceeded(f"{message}: the day's requests are used up", code=code)
    return SourceRefused(f"{message}: check the key and its subscriptions", code=code)


def http_error(status_code: int) -> SourceError:
    """The error behind an HTTP status without a readable body."""
    message = f"the network answered with HTTP status {status_code}"
    code = f"HTTP_{status_code}"
    if status_code >= _HTTP_SERVER_ERROR or status_code in _HTTP_RETRYABLE:
        return SourceUnavailable(f"{message}: try again later", code=code)
    return SourceRefused(f"{message}: check the address and the key", code=code)


def _parse(body: bytes) -> Json:
    try:
        content: Json = json.loads(body)
    except (ValueError, RecursionError):
        # UnicodeDecodeError and JSONDecodeError are ValueErrors; brackets nested without end are a RecursionError.
        return None
    return content


def _xml_code(body: bytes) -> str | None:
    match = _XML_CODE.search(body[:10_000].decode("utf-8", errors="replace"))
    return _normal_code(match[1]) if match else None


def _json_code(content: Json) -> str | None:
    for path in (("response", "header", "resultCode"), ("OpenAPI_ServiceResponse", "cmmMsgHeader", "returnReasonCode")):
        found = _at(content, path)
        if isinstance(found, str | int) and not isinstance(found, bool):
            return _normal_code(str(found))
    return None


def _message(content: Json) -> str:
    message = _at(content, ("response", "header", "resultMsg"))
    return message if isinstance(message, str) else ""


def _at(content: Json, path: tuple[str, ...]) -> Json:
    for name in path:
        content = content.get(name) if isinstance(content, dict) else None
    return content


def _apihub_status(content: Json) -> int | None:
    """The HTTP status that apihub.kma.go.kr repeats in the body of a refusal."""
    result = content.get("result") if isinstance(content, dict) else None
    status = result.get("status") if isinstance(result, dict) else None
    return status if isinstance(status, int) and _HTTP_OK < status <= _HTTP_HIGHEST else None


def _normal_code(text: str) -> str | None:
    """`00` and `0` alike; None for what is no code."""
    digits = _CODE.fullmatch(text.strip())
    return digits[0].lstrip("0") or "0" if digits else None


def _read_body(body: Json) -> Answer:
    """Rows come as a list, as one bare row, under `item` as in converted XML, or as `""` when there are none."""
    if not isinstance(body, dict):
        raise SourceUnreadable("the network's answer has no body", code="UNREADABLE")
    items = body.get("items")
    if isinstance(items, dict) and "item" in items:
        items = items["item"]
    if isinstance(items, dict):
        items = [items]
    if items is None or items == "":
        items = []
    if not isinstance(items, list):
        raise SourceUnreadable("the network's answer has no list of rows", code="UNREADABLE")
    rows = tuple(item for item in items if isinstance(item, dict))
    if len(rows) != len(items):
        raise SourceUnreadable("the network's answer holds something that is no row", code="UNREADABLE")
    total = body.get("totalCount")
    return Answer(rows, _count(total) if isinstance(total, str | int) else len(rows))


def _count(total: str | int) -> int:
    digits = _COUNT.fullmatch(str(total).strip())
    return int(digits[0]) if digits else 0
