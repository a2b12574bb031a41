# syntax=docker/dockerfile:1
# The daemon, compiled, with what it needs at run time: no shell, no npm, no TypeScript, no sandbox. docs/deploy.md tells how it is run.

# The packages are the same on every platform, so a build for another one runs at full speed.
FROM --platform=$BUILDPLATFORM node:24-trixie-slim AS packages
WORKDIR /app
COPY package.json package-lock.json ./
RUN --mount=type=cache,target=/root/.npm npm ci --omit=dev --ignore-scripts --no-audit --no-fund

FROM --platform=$BUILDPLATFORM node:24-trixie-slim AS source
WORKDIR /app
COPY package.json package-lock.json ./
RUN --mount=type=cache,target=/root/.npm npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY actors actors
COPY ops ops
COPY schemas schemas
COPY src src
RUN npm run build

# The external services, simulated, for those who try it out: docker build --target services.
FROM source AS services
USER 1000:1000
EXPOSE 28080
ENTRYPOINT ["node", "ops/services.mjs"]

FROM gcr.io/distroless/nodejs24-debian13:nonroot AS turnstile
WORKDIR /app
ENV NODE_ENV=production HOST=0.0.0.0
COPY package.json ./
COPY --from=packages /app/node_modules node_modules
COPY --from=source /app/dist/actors dist/actors
COPY --from=source /app/dist/schemas dist/schemas
COPY --from=source /app/dist/src dist/src
# By number, so that Kubernetes can see that it is not root. It writes no file, so the root file system may be read-only.
USER 65532:65532
EXPOSE 8080
HEALTHCHECK --interval=5s --timeout=3s --start-period=30s CMD ["/nodejs/bin/node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT || 8080}/health`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["/nodejs/bin/node", "dist/src/main.js"]
CMD ["run"]
