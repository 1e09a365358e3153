"""The errors of a stand-in. Messages name fields and references, never a claimant's value."""


class SimulatorError(Exception):
    """The root of the stand-ins' errors."""


class CopybookError(SimulatorError):
    """A copybook is missing, or says something that this reader does not know."""


class FrameError(SimulatorError):
    """A frame that breaks the record link's rules: the connection is closed without an answer."""


class LedgerError(SimulatorError):
    """The ledger cannot be read or written. Nothing more is acknowledged after it."""


class ConfigurationError(SimulatorError):
    """A setting, a rule file or a secrets file is not usable."""
