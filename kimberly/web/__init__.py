"""Helpers for HTTP that know Django but no models."""
