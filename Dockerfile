# One image a server: `docker build --target router --tag cleanair-router .`, likewise ingestion, predictor and gateway.
# Any base with Python 3.11 will do. pip looks where its PIP_* arguments say; where torch's CPU builds are to be found is
# theirs to say too (predictor only): the build stops rather than ship gigabytes of CUDA. An ARG ends with its stage.
ARG BASE_IMAGE=python:3.11-slim-bookworm

FROM ${BASE_IMAGE} AS build
ARG PIP_INDEX_URL PIP_EXTRA_INDEX_URL PIP_FIND_LINKS PIP_CERT
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /src
COPY pyproject.toml requirements.lock README.md build_protos.py ./
COPY protos protos
COPY air air
COPY cli cli
COPY gateway gateway
COPY ingestion ingestion
COPY mesh mesh
COPY predictor predictor
COPY router router
COPY simulation simulation
RUN python3.11 -m venv /build \
    && /build/bin/pip wheel --no-deps --wheel-dir /wheels . \
    # What runs gets no pip: the builder's installs into it.
    && python3.11 -m venv --without-pip /opt/cleanair

FROM build AS build-ingestion
ARG PIP_INDEX_URL PIP_EXTRA_INDEX_URL PIP_FIND_LINKS PIP_CERT
RUN /build/bin/pip --python /opt/cleanair/bin/python install --constraint requirements.lock \
    "cleanair-route[ingestion,worker] @ file://$(echo /wheels/cleanair_route-*.whl)"

FROM build AS build-predictor
ARG PIP_INDEX_URL PIP_EXTRA_INDEX_URL PIP_FIND_LINKS PIP_CERT
RUN /build/bin/pip --python /opt/cleanair/bin/python install --constraint requirements.lock \
    "cleanair-route[predictor] @ file://$(echo /wheels/cleanair_route-*.whl)" \
    && /opt/cleanair/bin/python -c "import sys, torch; torch.version.cuda and sys.exit('this is a CUDA build of torch: \
give PIP_EXTRA_INDEX_URL or PIP_FIND_LINKS a place that has CPU builds')"

FROM build AS build-router
ARG PIP_INDEX_URL PIP_EXTRA_INDEX_URL PIP_FIND_LINKS PIP_CERT
RUN /build/bin/pip --python /opt/cleanair/bin/python install --constraint requirements.lock \
    "cleanair-route[router] @ file://$(echo /wheels/cleanair_route-*.whl)"

FROM build AS build-gateway
ARG PIP_INDEX_URL PIP_EXTRA_INDEX_URL PIP_FIND_LINKS PIP_CERT
RUN /build/bin/pip --python /opt/cleanair/bin/python install --constraint requirements.lock \
    "cleanair-route[gateway] @ file://$(echo /wheels/cleanair_route-*.whl)"

# A number, not a name: Kubernetes checks runAsNonRoot by it. /data is the one place written to, beside /tmp.
FROM ${BASE_IMAGE} AS run
RUN mkdir /data && chown 10001:10001 /data
ENV PATH=/opt/cleanair/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 HOME=/tmp \
    CLEANAIR_HOST=0.0.0.0 CLEANAIR_DATA_DIR=/data
WORKDIR /data
USER 10001:10001
ENTRYPOINT ["cleanair"]

FROM run AS ingestion
COPY --from=build-ingestion /opt/cleanair /opt/cleanair
EXPOSE 50051
CMD ["serve", "ingestion"]

FROM run AS predictor
COPY --from=build-predictor /opt/cleanair /opt/cleanair
EXPOSE 50052
CMD ["serve", "predictor"]

FROM run AS router
COPY --from=build-router /opt/cleanair /opt/cleanair
EXPOSE 50053
CMD ["serve", "router"]

FROM run AS gateway
COPY --from=build-gateway /opt/cleanair /opt/cleanair
EXPOSE 8080
CMD ["serve", "gateway"]
