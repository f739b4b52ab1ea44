"""Celery's side of the schedule: a beat that says when what is due, and workers that have ingestion do it over gRPC.

A worker keeps nothing and decides nothing: which slot has been collected, and that no two collect at a time, is known
where readings are stored. So a lost worker, a lost broker or a task that is delivered twice costs no reading.
"""
