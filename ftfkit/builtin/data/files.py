"""What sources that read files share: folders, file-name patterns, and what to say when a file is not there."""

from __future__ import annotations

import difflib
import glob
import lzma
import string
import zipfile
import zlib
from abc import abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field, field_validator

from ftfkit.components import DataSource, RawBars
from ftfkit.errors import UNPLACED, DataError, DataSettingError
from ftfkit.types import Asset

if TYPE_CHECKING:
    import pandas as pd

# What readers raise on a file that is not what its name says; RuntimeError and ImportError stand for archives that are
# encrypted, or packed by a method that is not installed.
_UNREADABLE = (OSError, ValueError, EOFError, RuntimeError, ImportError, zipfile.BadZipFile, zlib.error, lzma.LZMAError)
_QUOTES = ("USDT", "USDC", "FDUSD", "BUSD", "TUSD", "DAI", "USD", "EUR", "TRY", "BTC", "ETH", "BNB")
_OWNER = "plugin ftfkit"
_PLACEHOLDERS = {"base": "base", "quote": "quote", "asset": "name"}  # to fields of Asset


def _as_list(value: Any) -> Any:
    if isinstance(value, (int, float)):
        raise ValueError(f"must be text, not a number: ./{value} is a folder of that name")
    return (value,) if isinstance(value, (str, Path)) else value


class FileSource(DataSource):
    """Bars in files, all files of an asset merged.

    Attributes
    ----------
    path : tuple of Path
        One folder or a list; an asset is read from the first folder that has a file of it.
    pattern : str
        File name below a folder, with ``{base}``, ``{quote}``, ``{asset}`` and glob wildcards.
    bar_hours : int
        Length of a native bar in hours.
    """

    path: Annotated[tuple[Path, ...], BeforeValidator(_as_list), Field(min_length=1)]
    pattern: str
    bar_hours: int = Field(default=1, ge=1, le=24)
    suffixes: ClassVar[tuple[str, ...]] = ()  # file-name endings that count; empty means all

    @field_validator("path")
    @classmethod
    def _home_expanded(cls, path: tuple[Path, ...]) -> tuple[Path, ...]:
        return tuple(folder.expanduser() for folder in path)

    @field_validator("pattern")
    @classmethod
    def _known_placeholders(cls, pattern: str) -> str:
        fields = {name for _, name, _, _ in string.Formatter().parse(pattern) if name is not None}
        if not fields <= set(_PLACEHOLDERS) or not fields & {"base", "asset"}:
            raise ValueError("must name {base} or {asset}, may name {quote}, and nothing else in braces")
        if Path(pattern).is_absolute():
            raise ValueError("must be relative to data.path")
        return pattern

    @abstractmethod
    def frame(self, file: Path) -> pd.DataFrame:
        """Bars of one file, columns as in ``RawBars``, one row a data row of the file."""

    def read(self, asset: Asset) -> RawBars:
        import pandas as pd

        files = self._files(asset)
        frames = [self._checked_frame(file) for file in files]
        if len(files) == 1:
            return RawBars(frames[0], str(files[0]), self.bar_hours)
        origin = f"{files[0]} and {len(files) - 1} more"
        return RawBars(pd.concat(frames, keys=[str(file) for file in files]), origin, self.bar_hours)

    def _checked_frame(self, file: Path) -> pd.DataFrame:
        try:
            return self.frame(file).reset_index(drop=True)  # errors count rows from the top of the file
        except _UNREADABLE as error:
            brief = " ".join(str(error).split())
            raise DataError(f"{file}: cannot be read as {type(self).__name__} bars: {brief}") from error

    def _files(self, asset: Asset) -> list[Path]:
        for folder in self.path:
            found = sorted(file for file in folder.glob(self._glob(asset)) if self._counts(file))
            if found:
                return found
        raise self._missing(asset)

    def _glob(self, asset: Asset) -> str:
        return self.pattern.format(**{key: glob.escape(getattr(asset, field)) for key, field in _PLACEHOLDERS.items()})

    def _counts(self, file: Path) -> bool:
        return file.is_file() and (not self.suffixes or file.suffix.lower() in self.suffixes)

    def _missing(self, asset: Asset) -> DataSettingError:
        if not any(folder.is_dir() for folder in self.path):  # the same for every asset
            folders = ", ".join(map(str, self.path))
            return DataSettingError(UNPLACED, "data.path", folders, "must be a folder with bars", _OWNER)
        wanted = self._glob(asset)
        places = ", ".join(
            str(folder / wanted) + ("" if folder.is_dir() else " (no such folder)") for folder in self.path
        )
        hint = self._other_quotes(asset) or self._near(wanted)
        rule = f"must name a file of {asset.name}; searched {places}{hint}"
        return DataSettingError(UNPLACED, "data.pattern", self.pattern, rule, _OWNER)

    def _other_quotes(self, asset: Asset) -> str:
        """The same base in another quote, as the override that selects it."""
        assets = (Asset(asset.base, quote) for quote in _QUOTES if quote != asset.quote)
        quotes = [other.quote for other in assets if any(any(folder.glob(self._glob(other))) for folder in self.path)]
        options = " or ".join(f"universe.quote={quote}" for quote in quotes)
        return f"; the files have another quote: {options}" if quotes else ""

    def _near(self, wanted: str) -> str:
        names = {file.name for folder in self.path for file in folder.glob("*") if self._counts(file)}
        near = difflib.get_close_matches(Path(wanted).name, sorted(names), n=3, cutoff=0.4)
        return f"; near: {', '.join(near)}" if near else ""
