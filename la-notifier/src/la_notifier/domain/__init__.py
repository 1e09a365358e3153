"""The rules of docs/interfaces/local-authority.md: who gets a notice, its content, and its life. Nothing here has effects."""
