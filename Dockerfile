# One image for the API, the workers and the migration: they differ by their command.
FROM python:3.11-slim-bookworm AS build
RUN python3 -m venv /opt/backprop
# The dependencies first: they change less often than the code and the README. They are named by empty packages, which are
# built in a folder of their own, since what a build leaves behind would be taken for the code's.
WORKDIR /dependencies
COPY constraints.txt pyproject.toml ./
COPY client/pyproject.toml client/README.md client/
COPY core/pyproject.toml core/README.md core/
RUN mkdir core/backprop client/backprop_client && touch core/backprop/__init__.py client/backprop_client/__init__.py README.md \
 && /opt/backprop/bin/pip install --no-cache-dir --constraint constraints.txt ./core ./client '.[embedded,onnx]' \
 && /opt/backprop/bin/pip uninstall --yes backprop backprop-client backprop-core
WORKDIR /src
COPY constraints.txt pyproject.toml ./
COPY core core
COPY infra infra
COPY domain domain
COPY app app
COPY worker worker
COPY cli cli
COPY client client
COPY migrations migrations
COPY README.md ./
RUN /opt/backprop/bin/pip install --no-cache-dir --no-deps --constraint constraints.txt ./core ./client .

FROM python:3.11-slim-bookworm
RUN useradd --system --uid 10001 --home-dir /data --shell /usr/sbin/nologin backprop \
 && install -d -o backprop -g backprop /data
COPY --from=build /opt/backprop /opt/backprop
ENV PATH=/opt/backprop/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    BACKPROP_DATA_DIR=/data \
    BACKPROP_LOG_FORMAT=json
USER backprop
WORKDIR /data
EXPOSE 8000
CMD ["backprop", "api", "--host", "0.0.0.0"]
