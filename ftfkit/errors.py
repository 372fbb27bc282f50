"""What ftfkit raises. Nothing third-party is imported here; Hydra's edge wraps these."""

from __future__ import annotations

from typing import Self

UNPLACED = "configuration"  # where a value was set, to code that has the value alone


class FtfkitError(Exception):
    """Base of every error that a user can cause; its text is one line and fit to print.

    Attributes
    ----------
    exit_code : int
        Process exit code of the command line (0 done, 1 refused, 2 usage, 3 broken plugin, 4 error rows,
        5 verify mismatch).
    """

    exit_code = 1


class ConfigError(FtfkitError):
    """A configuration value breaks a rule.

    Parameters
    ----------
    where : str
        File and line (``conf/label/x.yaml:3``) or ``command line``; ``UNPLACED`` where the caller knows it alone.
    key : str
        Dotted path of the value (``label.stop_atr``), empty when the file as a whole is at fault.
    value : object
        The offending value, printed with ``repr`` unless it is a string.
    rule : str
        What must hold (``must be > 0``).
    owner : str
        The plugin or package that states the rule.

    Examples
    --------
    >>> print(ConfigError("conf/label/x.yaml:3", "label.stop_atr", -1, "must be > 0", "plugin ftfkit"))
    conf/label/x.yaml:3: label.stop_atr == -1 must be > 0 (plugin ftfkit)
    """

    def __init__(self, where: str, key: str, value: object, rule: str, owner: str = "ftfkit") -> None:
        self.where, self.key, self.value, self.rule, self.owner = where, key, value, rule, owner
        subject = f"{key} == {value} " if key else ""
        super().__init__(f"{where}: {subject}{rule} ({owner})")

    def placed(self, where: str) -> Self:
        """The same error, naming who set the value."""
        return type(self)(where, self.key, self.value, self.rule, self.owner)

    def __reduce__(self) -> tuple[type[ConfigError], tuple[str, str, object, str, str]]:
        return type(self), (self.where, self.key, self.value, self.rule, self.owner)


class DataError(FtfkitError):
    """Market data is missing or breaks the bar schema; the text names file and row."""


class DataSettingError(ConfigError, DataError):
    """A value of the configuration does not fit the market data that there is."""


class RowsError(FtfkitError):
    """Rows handed to ``judge`` cannot be judged at all (a missing column, a duplicated cell)."""


class PlanError(FtfkitError):
    """A run differs from its pre-registered plan, or a plan cannot be made."""


class LedgerError(FtfkitError):
    """The ledger is damaged, so that nothing can be entered or trusted; the text names the line."""


class UsageError(FtfkitError):
    """The command line itself is wrong."""

    exit_code = 2


class PluginError(FtfkitError):
    """A plugin cannot be imported, breaks the contract or clashes with another; the text names its package."""

    exit_code = 3


class VerifyError(FtfkitError):
    """A stored run does not agree with what is recomputed from it; the text names the place."""

    exit_code = 5
