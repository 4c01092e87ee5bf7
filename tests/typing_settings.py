"""The settings as the type checker needs them: readable without a database."""

import os

os.environ.setdefault("KIMBERLY_SECRET_KEY", "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMN")
os.environ.setdefault("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
os.environ.setdefault("REDIS_URL", "redis://127.0.0.1:1/0")

from kimberly.settings import *  # noqa: F403 # the environment above must be there first
