"""Files of rows, CSV or Parquet, read piece by piece."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final, Protocol, TypeAlias, cast

from cli.failure import CommandFailed

Cell: TypeAlias = str | int | float | datetime | None
Cells: TypeAlias = Sequence[Cell]

_ROWS_AT_A_TIME: Final = 10_000
_BYTES_AT_A_TIME: Final = 1 << 20


class TableFile(Protocol):
    """A file of rows under named columns."""

    @property
    def path(self) -> Path:
        """Where it is."""

    @property
    def columns(self) -> Sequence[str]:
        """The names of its columns."""

    def rows(self, columns: Sequence[str]) -> Iterator[Cells | None]:
        """The cells of these columns, row by row; None for a row that has not as many fields as the file has columns.

        Raises CommandFailed when the file cannot be read on.
        """


def open_file(path: Path) -> TableFile:
    """A file by its ending. Raises CommandFailed when it cannot be read."""
    readers: dict[str, Callable[[Path], TableFile]] = {".csv": CsvFile, ".parquet": ParquetFile}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise CommandFailed(f"{path} is neither .csv nor .parquet.")
    try:
        return reader(path)
    except OSError as error:
        raise _unreadable(path, error.strerror or str(error)) from error


def digest(path: Path) -> str:
    """The SHA-256 of a file's bytes. Raises CommandFailed."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise _unreadable(path, error.strerror or str(error)) from error


class CsvFile:
    """Text with a header, in UTF-8, or else in the CP949 of Korean spreadsheets."""

    def __init__(self, path: Path) -> None:
        self.path: Final = path
        self._encoding = _encoding(path)
        header = next(self._lines(), None)
        if header is None:
            raise _unreadable(path, "it is empty")
        self.columns: Final[Sequence[str]] = [name.strip() for name in header]

    def rows(self, columns: Sequence[str]) -> Iterator[Cells | None]:
        """As in `TableFile`."""
        places = [self.columns.index(column) for column in columns]
        lines = self._lines()
        next(lines)
        for line in lines:
            # An empty line is no row.
            if line:
                yield [line[place] for place in places] if len(line) == len(self.columns) else None

    def _lines(self) -> Iterator[list[str]]:
        try:
            with self.path.open(encoding=self._encoding, newline="") as file:
                yield from csv.reader(file)
        except (csv.Error, UnicodeDecodeError) as error:
            raise _unreadable(self.path, str(error)) from error


class ParquetFile:
    """Columns in pages, of which a few are in memory at a time."""

    def __init__(self, path: Path) -> None:
        try:
            import pyarrow as pa
            from pyarrow import parquet
        except ImportError as error:
            raise CommandFailed(
                "Parquet is read with pyarrow, which is not installed: pip install 'cleanair-route[backfill]'."
            ) from error
        self._arrow = pa
        self.path: Final = path
        try:
            self._file = parquet.ParquetFile(path)
        except pa.ArrowInvalid as error:
            raise _unreadable(path, str(error)) from error
        self.columns: Final[Sequence[str]] = list(self._file.schema_arrow.names)

    def rows(self, columns: Sequence[str]) -> Iterator[Cells | None]:
        """As in `TableFile`."""
        if not columns:
            yield from ([] for _ in range(self._file.metadata.num_rows))
            return
        try:
            for batch in self._file.iter_batches(_ROWS_AT_A_TIME, columns=list(columns)):
                yield from zip(*(self._cells(batch.column(column)) for column in columns), strict=True)
        except (self._arrow.ArrowException, OSError) as error:
            raise _unreadable(self.path, str(error)) from error

    def _cells(self, column: object) -> list[Cell]:
        """A column's cells, where possible by way of numpy, which is many times as fast as asking for each."""
        types, array = self._arrow.types, cast("_Array", column)
        if types.is_dictionary(array.type):
            words = [*array.dictionary.to_pylist(), None]
            places = array.indices.cast("int64").fill_null(len(words) - 1)
            return [words[place] for place in cast("list[int]", places.to_numpy().tolist())]
        if types.is_timestamp(array.type) and array.type.tz is None and not array.null_count:
            # Nanoseconds would come as numbers.
            return array.cast("timestamp[us]", safe=False).to_numpy().tolist()
        if types.is_integer(array.type) or types.is_floating(array.type):
            return array.to_numpy(zero_copy_only=False).tolist()
        return array.to_pylist()


class _ArrowType(Protocol):
    tz: str | None


class _Numpy(Protocol):
    def tolist(self) -> list[Cell]: ...


class _Array(Protocol):
    type: _ArrowType
    null_count: int
    dictionary: _Array
    indices: _Array

    def cast(self, target: str, *, safe: bool = True) -> _Array: ...

    def fill_null(self, value: int) -> _Array: ...

    def to_numpy(self, *, zero_copy_only: bool = True) -> _Numpy: ...

    def to_pylist(self) -> list[Cell]: ...


def _encoding(path: Path) -> str:
    with path.open("rb") as file:
        start = file.read(_BYTES_AT_A_TIME)
    # The end of the piece may lie within a letter.
    whole_lines = start[: start.rfind(b"\n") + 1] or start
    try:
        whole_lines.decode("utf-8")
    except UnicodeDecodeError:
        return "cp949"
    return "utf-8-sig"


def _unreadable(path: Path, why: str) -> CommandFailed:
    return CommandFailed(f"{path} cannot be read: {' '.join(why.split())}.")
