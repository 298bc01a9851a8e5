"""What a client can say about how its file is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from backprop_client.wire.columns import ColumnType
from backprop_client.wire.datasets import Decimal, Delimiter, UploadFields
from domain.datasets.names import composed


@dataclass(frozen=True)
class ReadingOptions:
    """What the client says about the file; None, or nothing: to be found out.

    Attributes:
        header: whether the first row names the columns (CSV, and JSON rows that are arrays).
        delimiter: between the cells of a CSV file.
        decimal: before the decimals of its numbers.
        encoding: of the text of a CSV or JSON file, as Python calls it.
        missing_values: further words, or numbers, that stand for a missing value in any column.
        types: of columns that are to be read otherwise than they would be.
        filename: under which it was uploaded. Its suffix decides where the content leaves a choice.
        needed: columns that the file must have, where that is known: it has rows to predict.
        headless: what the columns of a CSV file without a header are called; the first of these that has as many names.
    """

    header: bool | None = None
    delimiter: Delimiter | None = None
    decimal: Decimal | None = None
    encoding: str | None = None
    missing_values: tuple[str, ...] = ()
    types: Mapping[str, ColumnType] = field(default_factory=dict)
    filename: str = ""
    needed: tuple[str, ...] = ()
    headless: tuple[tuple[str, ...], ...] = ()

    @classmethod
    def of(cls, fields: UploadFields, filename: str) -> ReadingOptions:
        """What the fields of an upload say, and its file's name."""
        return cls(
            header=fields.header,
            delimiter=fields.delimiter,
            decimal=fields.decimal,
            encoding=fields.encoding,
            missing_values=fields.missing_values or (),
            types={composed(name): kind for name, kind in (fields.types or {}).items()},
            filename=filename,
        )

    @property
    def suffix(self) -> str:
        """Of the file's name, in lower case; that of a packed file is the one inside: ``.csv`` of ``t.csv.gz``."""
        return suffix_of(self.filename)


def suffix_of(filename: str) -> str:
    """A file name's suffix in lower case, whether it is packed or not."""
    name = PurePosixPath(filename.lower())
    return (PurePosixPath(name.stem) if name.suffix == ".gz" else name).suffix
