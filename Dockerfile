# The one Dockerfile: an image for each service, for the stand-ins and for the preparation of a development platform.
# Build from the root of the project: docker build --build-arg SERVICE=intake-svc --build-arg MODULE=intake .
#
# SERVICE   the package, as its pyproject.toml names it
# MODULE    what `python3 -m` runs
# FOLDER    its folder, where that has another name
# ALSO      one more folder that it reads
FROM python:3.11-slim-bookworm AS build
ENV UV_PYTHON_PREFERENCE=only-system UV_PROJECT_ENVIRONMENT=/app/.venv UV_LINK_MODE=copy UV_COMPILE_BYTECODE=1 \
    UV_HTTP_TIMEOUT=120 UV_HTTP_CONNECT_TIMEOUT=60 UV_HTTP_RETRIES=8
COPY deploy/bootstrap/uv.txt ./
RUN python3 -m venv /uv && /uv/bin/pip install --quiet --no-cache-dir --retries 8 --timeout 60 --require-hashes -r uv.txt
WORKDIR /app
ARG SERVICE
# Dependencies come before the source, so that a change of the source does not install them again.
COPY pyproject.toml uv.lock ./
RUN /uv/bin/uv sync --quiet --frozen --no-dev --no-cache --no-install-workspace --package "$SERVICE"
ARG FOLDER=$SERVICE
ARG ALSO=proto
COPY chassis chassis
COPY proto proto
COPY $FOLDER $FOLDER
COPY $ALSO $ALSO
RUN /uv/bin/uv sync --quiet --frozen --no-dev --no-cache --package "$SERVICE"

FROM python:3.11-slim-bookworm
RUN groupadd --gid 10001 cms && useradd --uid 10001 --gid cms --no-create-home cms \
    && install -d -o cms -g cms /data /prepared /access-log
WORKDIR /app
COPY --from=build /app /app
ARG MODULE
ENV PATH=/app/.venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 MODULE=$MODULE
USER 10001:10001
HEALTHCHECK --interval=5s --timeout=3s --start-period=30s \
    CMD ["python3", "-c", "import os, urllib.request; urllib.request.urlopen(f'http://127.0.0.1:{os.environ[\"CMS_OPERATIONS_PORT\"]}/readyz', timeout=2)"]
CMD ["sh", "-c", "exec python3 -m \"$MODULE\""]
