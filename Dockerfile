# One image of the lab, everything compiled inside Docker (BuildKit): scripts/images calls it once per program.
#   docker build --build-arg PROGRAM=payment-service-v2 -t istio-traffic-lab/payment-service:v2 .
# Dockerfile.host makes the same images from binaries that the host compiled.
ARG RUST=1.95.0

FROM rust:${RUST}-slim-bookworm AS build
WORKDIR /src
COPY . .
ARG PROGRAM
# Compiled natively on each architecture (amd64, arm64). The static C library makes `FROM scratch` possible; the explicit
# --target keeps that flag away from build scripts and macros, which must stay dynamic.
# Both caches outlive the build, so that a source edit recompiles what changed.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target,sharing=locked \
    TARGET="$(uname -m)-unknown-linux-gnu" && \
    RUSTFLAGS='-C target-feature=+crt-static' cargo build --release --locked --target "$TARGET" --bin "$PROGRAM" && \
    cp "target/$TARGET/release/$PROGRAM" /program

FROM scratch
ARG PROGRAM
ARG VERSION=dev
ARG REVISION=unknown
LABEL org.opencontainers.image.title="${PROGRAM}" \
      org.opencontainers.image.description="Istio Traffic Lab: ${PROGRAM}" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /program /program
# By number: there is no /etc/passwd, and Kubernetes' runAsNonRoot can check only a number.
USER 65532:65532
ENTRYPOINT ["/program"]
