# Belay as one image: the TypeScript runs as it is, so there is nothing to compile.
#   docker build -t belay .
#   docker run -v ./belay:/etc/belay:ro -v belay-data:/var/lib/belay --env-file belay.env belay
# See docs/install.md.

FROM node:24-slim AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# Without the development packages: `node` is one of them, the image brings its own.
RUN npm ci --omit=dev

FROM node:24-slim
ENV NODE_ENV=production BELAY_CONFIG=/etc/belay/belay.yml
WORKDIR /app
COPY --from=packages /app/node_modules node_modules
COPY package.json LICENSE ./
COPY bin bin
COPY migrations migrations
COPY src src
# The database lives here: `database: /var/lib/belay/belay.db` in belay.yml. The code stays root's and read-only.
RUN mkdir -p /etc/belay /var/lib/belay && chown 1000:1000 /var/lib/belay
# By number, so that an orchestrator can see that it is not root.
USER 1000:1000
VOLUME /var/lib/belay
EXPOSE 8080
# Inside the container, so that http.host may stay 127.0.0.1. With another http.port, give another --health-cmd.
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:8080/healthz').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
# Node gets SIGTERM itself, and Belay puts everything away before it ends.
ENTRYPOINT ["node", "/app/bin/belay"]
CMD ["start"]
