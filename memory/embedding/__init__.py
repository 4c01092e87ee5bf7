"""Texts become vectors: one protocol, one file an embedder."""
