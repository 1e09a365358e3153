"""All SQL of the transfer ledger, by theme. Functions take a connection."""
