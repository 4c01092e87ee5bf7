# syntax=docker/dockerfile:1
# One image for web, worker and beat; the command chooses (kimberly/start.py). docs/delivery.md says how to run it.

ARG PYTHON=3.13-slim-bookworm

FROM python:${PYTHON} AS build
WORKDIR /app
COPY requirements.txt ./
# Wheels alone, each with its hash: nothing is compiled, and no package runs code of its own while it is installed.
RUN pip download --no-cache-dir --require-hashes --only-binary=:all: --dest /wheels --requirement requirements.txt \
 && python -m venv --without-pip /venv \
 && pip --python /venv/bin/python install --no-cache-dir --no-index --find-links /wheels --require-hashes \
    --requirement requirements.txt
COPY . ./
# With the folder there, the settings choose hashed names. These settings are for this one command: none of them is kept.
RUN mkdir staticfiles \
 && KIMBERLY_SECRET_KEY=0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMN \
    DATABASE_URL=postgresql://build@localhost/build REDIS_URL=redis://localhost/0 \
    /venv/bin/python manage.py collectstatic --no-input \
 && /venv/bin/python -m compileall -q /app /venv

FROM python:${PYTHON}
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Kimberly" \
      org.opencontainers.image.description="Memories for assistants, within quotas, and the portal that operates them" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
RUN groupadd --gid 10001 kimberly \
 && useradd --uid 10001 --gid kimberly --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin kimberly \
 && install --directory --owner=kimberly --group=kimberly /run/kimberly /var/lib/kimberly
COPY --from=build /venv /venv
COPY --from=build /app /app
WORKDIR /app
# The root may be read-only: what is written goes to /run/kimberly (a tmpfs) and /var/lib/kimberly (a volume).
ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    KIMBERLY_DATA_DIR=/var/lib/kimberly \
    KIMBERLY_HOST=0.0.0.0 \
    KIMBERLY_PORT=8000 \
    KIMBERLY_BUILD=${REVISION}
USER 10001:10001
EXPOSE 8000
# For the web alone: run worker and beat with --no-healthcheck, they have nothing to ask.
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s CMD ["python", "-m", "kimberly.start", "health"]
ENTRYPOINT ["python", "-m", "kimberly.start"]
CMD ["web"]
