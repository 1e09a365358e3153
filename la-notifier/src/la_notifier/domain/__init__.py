"""The rules of docs/interfaces/local-authority.md as pure functions: who is told, what, and how a notice goes on."""
