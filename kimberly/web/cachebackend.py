"""Django's Redis cache, counted by django-prometheus, and absent without harm while Redis is away.

django-prometheus has the same in its `NativeRedisCache`, but the module that holds it imports django-redis, another
cache back end that nothing here uses (docs/adr/0003).
"""

from typing import Any

import redis
from django.core.cache.backends.redis import RedisCache
from django_prometheus.cache.metrics import (
    django_cache_get_fail_total,
    django_cache_get_total,
    django_cache_hits_total,
    django_cache_misses_total,
)

BACKEND = "native_redis"


class CountedRedisCache(RedisCache):
    """Gets are counted as django-prometheus counts them; a Redis that is away is a miss, and a set is dropped."""

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        django_cache_get_total.labels(backend=BACKEND).inc()
        try:
            found = super().get(key, default=None, version=version)
        except (redis.ConnectionError, redis.TimeoutError):
            django_cache_get_fail_total.labels(backend=BACKEND).inc()
            return default
        (django_cache_misses_total if found is None else django_cache_hits_total).labels(backend=BACKEND).inc()
        return default if found is None else found

    def set(self, key: Any, value: Any, timeout: Any = None, version: int | None = None) -> None:
        try:
            super().set(key, value, timeout=timeout, version=version)
        except (redis.ConnectionError, redis.TimeoutError):
            django_cache_get_fail_total.labels(backend=BACKEND).inc()
