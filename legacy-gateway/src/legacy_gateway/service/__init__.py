"""The use cases of the gateway, by theme: confirmations, sending, sweeping, queries."""
