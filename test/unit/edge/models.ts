import type { FrontendModel, ServiceModel } from '../../../edge/model.ts';

export function makeFrontend(more: Partial<FrontendModel> = {}): FrontendModel {
  return {
    name: 'default.web.lab.80',
    port: 80,
    addresses: ['192.0.2.1'],
    sourceRanges: [],
    balance: 'roundrobin',
    server: { intervalSeconds: 2, rise: 2, fall: 2, proxyProtocol: 'None' },
    servers: [],
    ...more,
  };
}

export function makeService(key: string, more: Partial<ServiceModel> = {}): ServiceModel {
  return {
    key,
    uid: `uid-${key}`,
    generation: 1,
    drainSeconds: 30,
    frontends: [makeFrontend({ name: `${key.replace('/', '.')}.80` })],
    ...more,
  };
}

export function makeServer(address: string, port = 30_080) {
  return { name: `${address}:${port}`, address, port };
}
