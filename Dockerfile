# payops in an image: compiled on Debian 12, run on its slim sibling by a user without rights.
#   docker build -t payops .
#   docker run --rm payops demo --duration 60
FROM debian:12 AS build
WORKDIR /payops
COPY scripts/install-deps scripts/install-deps
RUN scripts/install-deps build console && rm -rf /var/lib/apt/lists/*
COPY . .
RUN cmake --preset release -DPAYOPS_TESTS=OFF \
 && cmake --build build/release --target payops \
 && strip --strip-debug build/release/payops

FROM debian:12-slim
COPY scripts/install-deps /usr/local/share/payops/install-deps
RUN /usr/local/share/payops/install-deps runtime && rm -rf /var/lib/apt/lists/* \
 && useradd --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin payops \
 && install -d -o payops -g payops -m 0750 /var/lib/payops/state /var/lib/payops/audit \
      /var/lib/payops/support /var/lib/payops/support-audit
COPY --from=build /payops/build/release/payops /usr/local/bin/payops
COPY scripts/docker/health /usr/local/bin/payops-health
COPY scripts/completion/payops.bash /usr/share/bash-completion/completions/payops
WORKDIR /opt/payops
COPY config config
COPY simulators/scenarios simulators/scenarios

USER payops
VOLUME ["/var/lib/payops/state", "/var/lib/payops/audit"]
# The agent's by default; compose sets the simulator's own.
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=3 \
  CMD ["payops-health", "agent", "/var/lib/payops/state"]
STOPSIGNAL SIGINT
ENTRYPOINT ["payops"]
CMD ["--help"]
