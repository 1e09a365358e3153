"""The use cases of the gateway, by theme: what is confirmed, sending, sweeping, what staff see."""
