"""The part of IngestionService that tells how collection does, and what it is worth."""

from __future__ import annotations

from dataclasses import dataclass

from cleanair.ingestion.v1 import ingestion_service_pb2 as wire
from cleanair.ingestion.v1 import metrics_pb2, reading_pb2

from ingestion.feed_metrics import FeedMeter, FeedMetrics
from ingestion.quality.report import DayQuality, ReportQuestion, ReportStore, quality_report
from ingestion.stream import StatusBoard
from mesh.clock import Clock
from mesh.interceptors.around import Context
from mesh.wire import pollutant_to_wire, status_to_wire, time_to_wire


@dataclass(frozen=True, slots=True)
class Meters:
    """What is told."""

    feeds: FeedMeter
    report: ReportStore
    board: StatusBoard
    clock: Clock


class MetricsService:
    """Answers for metrics; a base of the whole service."""

    def __init__(self, meters: Meters) -> None:
        self._meters = meters

    async def GetMetrics(self, request: wire.GetMetricsRequest, context: Context) -> wire.GetMetricsResponse:
        """How collection does."""
        meters = self._meters
        question = ReportQuestion(
            station_ids=tuple(request.station_ids),
            days=request.days,
            page_size=request.page_size,
            page_token=request.page_token,
        )
        page = await quality_report(meters.report, question, meters.clock)
        return wire.GetMetricsResponse(
            data_status=status_to_wire(await meters.board.status()),
            feeds=map(_feed_to_wire, await meters.feeds.read()),
            quality=map(_quality_to_wire, page.rows),
            next_page_token=page.next_page_token,
        )


def _feed_to_wire(feed: FeedMetrics) -> metrics_pb2.FeedMetrics:
    account = feed.account
    success = account.last_success if account is not None else None
    failing = account.failing_since if account is not None else None
    return metrics_pb2.FeedMetrics(
        feed=feed.feed,
        last_success_time=None if success is None else time_to_wire(success),
        failing_since=None if failing is None else time_to_wire(failing),
        failure_code=(account.error_code or "") if account is not None else "",
        quotas=[
            metrics_pb2.RequestQuota(service=one.service, used_count=one.used, limit_count=one.limit)
            for one in feed.quotas
        ],
    )


def _quality_to_wire(row: DayQuality) -> metrics_pb2.QualityMetrics:
    counts = row.counts
    newest = counts.newest_measured_at
    return metrics_pb2.QualityMetrics(
        station_id=counts.station_id,
        pollutant=pollutant_to_wire(counts.pollutant),
        date=counts.day.isoformat(),
        expected_count=row.expected,
        measured_count=counts.measured,
        passed_count=counts.passed,
        suspect_count=counts.suspect,
        failed_count=counts.failed,
        completeness=row.completeness,
        checks=[
            metrics_pb2.CheckCount(check=reading_pb2.Quality.Check.Value(check.name), count=count)
            for check, count in counts.checks.items()
        ],
        newest_measured_at=None if newest is None else time_to_wire(newest),
    )
