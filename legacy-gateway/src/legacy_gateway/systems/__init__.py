"""The systems that pay: a module for each, with its rules and how it is reached."""

from legacy_gateway.systems.protocol import RecordSystem

__all__ = ["RecordSystem"]
