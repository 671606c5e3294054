# Node.js comes from the build stage's image; the image that runs has the C library, certificates and time zones, and neither
# shell nor package manager. The workflow `image` gives both by digest, as they are on the day of the build.
ARG BASE=docker.io/library/node:24-trixie-slim
ARG RUNTIME=gcr.io/distroless/cc-debian13:nonroot

FROM ${BASE} AS build
WORKDIR /app
COPY package.json package-lock.json ./
COPY clients/sdk/package.json clients/sdk/
COPY clients/web/package.json clients/web/
# No package's script is run. The only one that PAI allows installs a Node.js, and there is one here.
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY clients clients
RUN npm run build --workspace @pai/web
COPY docker docker
RUN node docker/write-rds-certificates.mjs /app/rds-certificates.pem

FROM ${BASE} AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
# Not in the image: the embedded database, for a container works with a PostgreSQL server; types, and maps to sources that are not there.
RUN npm ci --omit=dev --workspaces=false --ignore-scripts --no-audit --no-fund \
  && rm -rf node_modules/@electric-sql node_modules/.bin node_modules/openai/src \
  && find node_modules -type f '(' -name '*.map' -o -name '*.d.ts' -o -name '*.d.mts' -o -name '*.d.cts' ')' -delete

FROM ${RUNTIME}
USER 0:0
WORKDIR /app
COPY --from=build /usr/local/bin/node /usr/local/bin/node
COPY --from=dependencies /app/node_modules node_modules
COPY --from=build /app/rds-certificates.pem ./
COPY package.json ./
COPY migrations migrations
COPY docker/healthy.mjs docker/
COPY src src
COPY --from=build /app/clients/web/dist clients/web/dist

# The heap follows the container's memory; the rest is for buffers, threads and compiled code.
ENV NODE_ENV=production \
  NODE_OPTIONS=--max-old-space-size-percentage=70 \
  NODE_EXTRA_CA_CERTS=/app/rds-certificates.pem \
  HOST=0.0.0.0 \
  PORT=3000 \
  PAI_DATA_DIR=/tmp/pai
EXPOSE 3000
# Nothing here belongs to it, and it writes nowhere but in /tmp.
USER 65532:65532
HEALTHCHECK --interval=10s --timeout=5s --retries=3 --start-period=30s CMD ["node", "docker/healthy.mjs"]
CMD ["node", "src/main.ts"]

ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="PAI" \
  org.opencontainers.image.description="A personal AI assistant with a memory its owner can read, correct and delete" \
  org.opencontainers.image.licenses="MIT" \
  org.opencontainers.image.version="${VERSION}" \
  org.opencontainers.image.revision="${REVISION}"
