"""The commands of `cms` that no other package has, by theme."""
