# One image for the operator and the agent. None is published: build it, and push it where your nodes can pull it.
#   docker build -t registry.example.com/fairlead:0.1.0 .
# Debian 12 has nft 1.0.6, the version that the rules are tested with.
FROM node:24-bookworm-slim AS dependencies
WORKDIR /fairlead
COPY package.json package-lock.json ./
# The optional dependencies are Node itself, for machines with an older one: the image has it already.
RUN npm ci --omit=dev --omit=optional --ignore-scripts && npm cache clean --force

FROM node:24-bookworm-slim
# What the agent talks to the kernel through.
RUN apt-get update \
 && apt-get install --yes --no-install-recommends nftables conntrack iproute2 iputils-arping \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /fairlead
COPY --from=dependencies /fairlead/node_modules node_modules
COPY LICENSE package.json ./
COPY kube kube
COPY crds crds
COPY providers providers
COPY operator operator
COPY agent agent
COPY edge edge
COPY cli cli
ENV NODE_ENV=production
# What Node makes of the agent's files at its first start, kept for all others: their root file system is read-only.
RUN node agent/main.ts --help >/dev/null
USER 65532:65532
# `operator/main.ts` or `agent/main.ts`; config/ says which, and gives the agent the rights that it needs. For people,
# `cli/fairlead.ts` with a command: edge, webhook-test.
ENTRYPOINT ["node"]
CMD ["operator/main.ts"]
