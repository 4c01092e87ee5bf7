"""Composition at the top, a small kernel below; nothing of the domain."""
