# Two images from the locks in requirements/: `service` (the default) without TensorFlow, and `training`.
# To pin the base by its digest: docker build --build-arg PYTHON=python@sha256:… .

ARG PYTHON=python:3.11-slim-bookworm

# What both images are: Python, one user without rights, and a place for the code.
FROM ${PYTHON} AS base
ENV PATH=/opt/convserve/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
RUN groupadd --gid 10001 convserve \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin convserve
WORKDIR /srv/convserve

# Packages as the locks have them, by their hashes. All are wheels, so no compiler is needed; pip stays behind in this stage.
FROM base AS environment
RUN python3 -m venv --without-pip /opt/convserve

FROM environment AS service-packages
COPY requirements/service.txt .
RUN pip --python /opt/convserve/bin/python install --no-cache-dir --only-binary=:all: --require-hashes --requirement service.txt
# A fifth of it no server loads: ONNX Runtime's C library, all of which its Python module has inside, its tools, and tests.
RUN cd /opt/convserve/lib/python3*/site-packages \
    && rm -r onnxruntime/capi/libonnxruntime.so.* onnxruntime/quantization onnxruntime/tools onnxruntime/transformers \
    && find . -type d -name tests -prune -exec rm -r {} +

FROM environment AS training-packages
COPY requirements/training.txt .
RUN pip --python /opt/convserve/bin/python install --no-cache-dir --only-binary=:all: --require-hashes --requirement training.txt

# The code with its bytecode, which a read-only root could not keep.
FROM base AS code
COPY modelrepo modelrepo
COPY preprocessing preprocessing
COPY service service
COPY training training
RUN python3 -m compileall -q --invalidation-mode unchecked-hash modelrepo preprocessing service training

FROM base AS training
LABEL org.opencontainers.image.title="convserve training" \
      org.opencontainers.image.description="Trains convolutional image classifiers with Keras and publishes them as ONNX bundles" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=training-packages /opt/convserve /opt/convserve
COPY --from=code /srv/convserve/modelrepo modelrepo
COPY --from=code /srv/convserve/preprocessing preprocessing
COPY --from=code /srv/convserve/training training
COPY --chown=convserve models models
# Downloaded data sets and matplotlib's cache; the only writable places beside models/.
ENV KERAS_HOME=/tmp/keras \
    MPLCONFIGDIR=/tmp/matplotlib
USER 10001:10001
ENTRYPOINT ["python", "-m", "training"]
CMD ["recipes"]

FROM base AS service
ARG REVISION=unknown
LABEL org.opencontainers.image.title="convserve" \
      org.opencontainers.image.description="Serves convolutional image classifiers over HTTP from ONNX Runtime" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=service-packages /opt/convserve /opt/convserve
COPY --from=code /srv/convserve/modelrepo modelrepo
COPY --from=code /srv/convserve/preprocessing preprocessing
COPY --from=code /srv/convserve/service service
COPY --chown=convserve models models
ENV CONVSERVE_HOST=0.0.0.0 \
    CONVSERVE_MODELS=/srv/convserve/models
USER 10001:10001
EXPOSE 8000
# Ready, not merely alive: what `docker compose up --wait`, a balancer that starts and Swarm's updates ask. It waits in the
# queue like any request, CONVSERVE_REQUEST_TIMEOUT at most, so that an overloaded replica is not taken for a dead one.
HEALTHCHECK --interval=5s --timeout=35s --start-period=60s --retries=3 CMD ["python", "-m", "service.healthcheck"]
CMD ["python", "-m", "service"]
