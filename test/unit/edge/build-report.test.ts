import { expect } from 'chai';
import type { EdgeState } from '../../../edge/keeper.ts';
import { buildReport } from '../../../edge/status/build-report.ts';
import { makeFrontend, makeServer, makeService } from './models.ts';

const KEY = 'default/a';
const EDGE = { name: 'edge-1', version: '1.2.3' };
const NUMBERS = { sessions: 0, totalSessions: 0, bytesIn: 0, bytesOut: 0 };

function state(more: Partial<EdgeState> = {}): EdgeState {
  return {
    oldWorkers: 0,
    worker: { pid: 1, version: '2.6', description: '' },
    loaded: new Map(),
    services: new Map(),
    proxies: new Map(),
    faults: new Map(),
    certificates: new Map(),
    fatal: undefined,
    draining: 0,
    ...more,
  };
}

const up = (address: string, port: number, isUp = true) => ({
  name: `${address}:${port}`,
  maintained: false,
  up: isUp,
  sessions: 0,
});

describe('edge: its report of a load balancer', () => {
  it('does not serve what it was not given', () => {
    expect(buildReport(KEY, 4, state(), EDGE)).to.deep.equal({
      name: 'edge-1',
      observedGeneration: 4,
      serving: false,
      haproxy: '2.6',
      version: '1.2.3',
    });
  });

  it('counts a target as healthy that is so at every port', () => {
    const servers = (port: number) => ['10.0.0.1', '10.0.0.2'].map((address) => makeServer(address, port));
    const service = makeService(KEY, {
      frontends: [
        makeFrontend({ name: 'one', servers: servers(1) }),
        makeFrontend({ name: 'two', servers: servers(2), addresses: ['192.0.2.2', '192.0.2.1'] }),
      ],
    });
    const all = new Map([[KEY, service]]);
    const proxies = new Map([
      ['one', { servers: [up('10.0.0.1', 1), up('10.0.0.2', 1)], numbers: NUMBERS }],
      ['two', { servers: [up('10.0.0.1', 2), up('10.0.0.2', 2, false)], numbers: NUMBERS }],
    ]);
    const report = buildReport(KEY, 1, state({ loaded: all, services: all, proxies }), EDGE);
    expect(report).to.deep.include({
      serving: true,
      addresses: ['192.0.2.1', '192.0.2.2'],
      targets: { desired: 2, healthy: 1 },
    });
  });

  it('tells how many get no new connections and have open ones, by their addresses', () => {
    const [stays, idle] = [makeServer('10.0.0.1', 1), { ...makeServer('10.0.0.2', 1), weight: 0 }];
    const frontends = [
      makeFrontend({ name: 'one', servers: [stays, idle] }),
      makeFrontend({ name: 'two', servers: [makeServer('10.0.0.1', 2)] }),
    ];
    const all = new Map([[KEY, makeService(KEY, { frontends })]]);
    const count = (sessions: number) => {
      const left = (address: string, port: number) => ({
        ...up(address, port, false),
        maintained: true,
        sessions,
      });
      const proxies = new Map([
        ['one', { servers: [up('10.0.0.1', 1), left('10.0.0.2', 1), left('10.0.0.3', 1)], numbers: NUMBERS }],
        // Of a port that it serves no more: it serves the other one.
        ['two', { servers: [up('10.0.0.1', 2), left('10.0.0.1', 9), left('10.0.0.3', 2)], numbers: NUMBERS }],
      ]);
      return buildReport(KEY, 1, state({ loaded: all, services: all, proxies }), EDGE).targets;
    };
    expect(count(3)).to.deep.equal({ desired: 1, healthy: 1, draining: 2 });
    expect(count(0)).to.deep.equal({ desired: 1, healthy: 1 });
  });

  it('serves what it was given before, and says why it is not the new', () => {
    const all = new Map([[KEY, makeService(KEY)]]);
    const faults = new Map([[KEY, { reason: 'ConfigurationRefused', message: 'line 3' }]]);
    expect(buildReport(KEY, 2, state({ loaded: all, services: all, faults }), EDGE)).to.deep.include({
      observedGeneration: 2,
      serving: true,
      reason: 'ConfigurationRefused',
      message: 'line 3',
    });
  });

  it('serves nothing while HAProxy is gone', () => {
    const all = new Map([[KEY, makeService(KEY)]]);
    const fatal = { reason: 'HaproxyFailed', message: 'it does not start' };
    const report = buildReport(KEY, 1, state({ loaded: all, worker: undefined, fatal }), EDGE);
    expect(report).to.deep.include({ serving: false, ...fatal });
    expect(report).to.not.have.any.keys('addresses', 'haproxy', 'targets');
  });
});
