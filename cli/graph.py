"""`cleanair graph import`."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from cli.failure import CommandFailed
from cli.settings import CommandSettings
from router.graph.osm import ImportReport
from router.machine_code import keep_machine_code


def import_graph(settings: CommandSettings, file: Path, out: Path | None) -> None:
    """Imports the extract, shows how far it is, and says what came of it."""
    keep_machine_code(settings)
    from router.importing import import_file

    if not file.is_file():
        raise CommandFailed(f"There is no file {file}.")
    target = out or settings.data_dir / "graphs" / f"{file.name.removesuffix('.pbf').removesuffix('.osm')}.graph"
    target.parent.mkdir(parents=True, exist_ok=True)
    console = Console()
    columns = (TextColumn("{task.description:<28}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("Reading", total=1.0)
        report = import_file(
            file, target, progress=lambda step, share: progress.update(task, description=step, completed=share)
        )
    console.print(_summary(report), highlight=False, soft_wrap=True)
    console.print(f"Written to {target}. Serve it with CLEANAIR_GRAPH_PATH={target}", highlight=False, soft_wrap=True)


def _summary(report: ImportReport) -> str:
    kind = "Simulated city" if report.simulated else "Graph"
    said = (
        f"{kind} {report.name} {report.version}: {report.nodes:,} nodes, {report.arcs:,} arcs,"
        f" {report.kilometers:,.0f} km, {report.largest_component_share:.1%} of the nodes hang together"
        f" ({report.seconds:.1f} s)."
    )
    if report.missing_nodes:
        said += f"\n{report.cut_ways:,} ways were cut where the extract lacks {report.missing_nodes:,} of their nodes."
    return said
