import { expect } from 'chai';
import { Registry } from 'prom-client';
import { decideLocalNodePorts } from '../../../agent/local-node-ports/decide-local-node-ports.ts';
import { ChangeTracker, TRIGGER_TIME } from '../../../agent/proxy-metrics/change-tracker.ts';
import { countNoLocalEndpoints } from '../../../agent/proxy-metrics/count-no-local-endpoints.ts';
import { ProxyMetrics } from '../../../agent/proxy-metrics/proxy-metrics.ts';
import type { ServedInputs } from '../../../agent/service-observer.ts';
import { describeLostFrontends } from '../../../agent/status/describe-lost-frontends.ts';
import { trimSlice } from '../../../agent/trim-objects.ts';
import type { EndpointSlice, Service, ServiceSpec } from '../../../kube/objects.ts';
import { Store } from '../../../kube/store.ts';
import { endpoint, NODE, service, slice } from './support/objects.ts';

const STARTED = Date.parse('2026-01-01T00:00:00Z');
const KEY = 'default/web';

class Programmed extends ProxyMetrics {
  readonly seen: [string, number][] = [];

  override programmed(family: 'ip' | 'ip6', seconds: number): void {
    this.seen.push([family, seconds]);
  }
}

function inputsOf(
  spec: ServiceSpec = {},
  slices: EndpointSlice[] = [],
  part: ServedInputs['part'] = 'Everything',
): ServedInputs {
  return { service: service('web', spec), slices, loadBalancers: [], part };
}

describe('agent: how long changes take', () => {
  let services: Store<Service>;
  let slices: Store<EndpointSlice>;
  let metrics: Programmed;
  let now: number;
  let tracker: ChangeTracker;

  beforeEach(() => {
    services = new Store<Service>();
    slices = new Store<EndpointSlice>();
    metrics = new Programmed(new Registry());
    now = STARTED;
    tracker = new ChangeTracker({ services, slices }, metrics, () => now);
  });

  const change = (secondsAfterStart: number | undefined, address = '10.0.0.1', more = {}) => {
    const { metadata, ...rest } = slice('web', [endpoint(address)], more);
    const at = new Date(STARTED + (secondsAfterStart ?? 0) * 1000).toISOString();
    const annotations = secondsAfterStart === undefined ? {} : { [TRIGGER_TIME]: at };
    slices.upsert({ ...rest, metadata: { ...metadata, annotations } });
  };
  const program = (secondsAfterStart: number) => {
    tracker.compiled(KEY, inputsOf());
    tracker.taken();
    now = STARTED + secondsAfterStart * 1000;
    tracker.takenApplied();
  };

  it('is told from the cause to the kernel', () => {
    change(10);
    program(12.5);
    expect(metrics.seen).to.deep.equal([['ip', 2.5]]);
  });

  it('is told of each change that waited, by its family', () => {
    change(1);
    change(2, '10.0.0.2');
    change(3, 'fd00::1', { addressType: 'IPv6', name: 'six' });
    program(4);
    expect(metrics.seen).to.deep.equal([
      ['ip', 3],
      ['ip', 2],
      ['ip6', 1],
    ]);
  });

  it('is not told of what happened before the start, of slices without a cause, and of the same cause twice', () => {
    change(-1);
    change(undefined, '10.0.0.2');
    program(5);
    expect(metrics.seen).to.deep.equal([]);

    change(6, '10.0.0.3');
    program(7);
    change(6, '10.0.0.4');
    program(60);
    expect(metrics.seen).to.deep.equal([['ip', 1]]);
  });

  it('is not told before the change is compiled, whatever else is applied', () => {
    change(1);
    tracker.taken();
    tracker.takenApplied();
    expect(metrics.seen).to.deep.equal([]);
    expect(tracker.pending).to.deep.equal({ services: 0, endpoints: 1 });

    program(2);
    expect(metrics.seen).to.deep.equal([['ip', 1]]);
    expect(tracker.pending).to.deep.equal({ services: 0, endpoints: 0 });
  });

  it('is not told of a slice that goes, nor of what waited for it, nor of what is not served here', () => {
    change(1);
    slices.remove(slice('web', []));
    program(2);
    expect(metrics.seen).to.deep.equal([]);

    change(3);
    tracker.compiled(KEY, undefined);
    tracker.taken();
    tracker.takenApplied();
    expect(metrics.seen).to.deep.equal([]);
  });

  it('counts what waits: Services once, slices by change', () => {
    services.upsert(service('web'));
    services.upsert(service('web', { type: 'NodePort' }));
    change(1);
    change(2);
    expect(tracker.pending).to.deep.equal({ services: 1, endpoints: 2 });

    tracker.compiled(KEY, inputsOf());
    tracker.taken();
    expect(tracker.pending).to.deep.equal({ services: 1, endpoints: 2 });
    tracker.takenApplied();
    expect(tracker.pending).to.deep.equal({ services: 0, endpoints: 0 });
  });

  it('needs the cause to be kept of a slice', () => {
    const { metadata, ...rest } = slice('web', []);
    const annotations = { [TRIGGER_TIME]: '2026-01-01T00:00:01Z', other: 'x' };
    expect(trimSlice({ ...rest, metadata: { ...metadata, annotations } }).metadata.annotations).to.deep.equal(
      {
        [TRIGGER_TIME]: '2026-01-01T00:00:01Z',
      },
    );
    expect(trimSlice(slice('web', [])).metadata).to.not.have.property('annotations');
  });
});

describe('agent: ports without endpoints on this node', () => {
  const elsewhere = [slice('web', [endpoint('10.0.0.1')])];
  const here = [slice('web', [endpoint('10.0.0.1', 'ready', NODE)])];
  const ending = [slice('web', [endpoint('10.0.0.1', 'terminating', NODE), endpoint('10.0.0.2')])];
  const internal: ServiceSpec = { internalTrafficPolicy: 'Local' };
  const external: ServiceSpec = { type: 'NodePort', externalTrafficPolicy: 'Local' };
  const cases: [string, ServedInputs, object | null][] = [
    ['policies Cluster', inputsOf({}, elsewhere), null],
    ['an internal policy', inputsOf(internal, elsewhere), { internal: 1, external: 0 }],
    ['an external policy', inputsOf(external, elsewhere), { internal: 0, external: 1 }],
    ['both', inputsOf({ ...internal, ...external }, elsewhere), { internal: 1, external: 1 }],
    ['endpoints here', inputsOf(internal, here), null],
    ['an endpoint here that ends and serves', inputsOf(internal, ending), null],
    ['no endpoints anywhere', inputsOf(internal, []), null],
    ['an internal policy of what another proxy serves', inputsOf(internal, elsewhere, 'LoadBalancers'), null],
  ];
  for (const [name, inputs, expected] of cases) {
    it(`are ${expected === null ? 'not ' : ''}counted with ${name}`, () => {
      expect(countNoLocalEndpoints(inputs, NODE)?.get('ip') ?? null).to.deep.equal(expected);
    });
  }
});

describe('agent: node ports for the loopback address', () => {
  const ports: ServiceSpec['ports'] = [
    { name: 'tcp', protocol: 'TCP', port: 80, nodePort: 30_080 },
    { name: 'udp', protocol: 'UDP', port: 53, nodePort: 30_053 },
    { name: 'plain', port: 81, nodePort: 30_081 },
    { name: 'inner', protocol: 'TCP', port: 82 },
  ];

  it('are those of TCP, in each family of the Service', () => {
    const clusterIPs = ['10.96.0.1', 'fd00:96::1'];
    expect(decideLocalNodePorts(inputsOf({ ports, clusterIPs }))).to.deep.equal([
      { family: 'ip', port: 30_080 },
      { family: 'ip', port: 30_081 },
      { family: 'ip6', port: 30_080 },
      { family: 'ip6', port: 30_081 },
    ]);
  });

  it("are not those of another proxy's Services", () => {
    expect(decideLocalNodePorts(inputsOf({ ports }, [], 'LoadBalancers'))).to.deep.equal([]);
  });
});

describe('agent: what a Service is told that loses', () => {
  it('names who has it, and what, in one text for each winner', () => {
    const told = describeLostFrontends([
      { id: 'ip services 203.0.113.1 . tcp . 80', winner: 'a/old', losers: ['b/new', 'c/newer'] },
      { id: 'ip6 services fd00::1 . udp . 53', winner: 'a/old', losers: ['b/new'] },
      { id: 'ip nodeports tcp . 30080', winner: 'x/other', losers: ['b/new'] },
    ]);
    expect(told).to.deep.equal([
      {
        service: 'b/new',
        note: "The older Service a/old has 203.0.113.1 port 80 (TCP), fd00::1 port 53 (UDP); this one isn't served there.",
      },
      {
        service: 'c/newer',
        note: "The older Service a/old has 203.0.113.1 port 80 (TCP); this one isn't served there.",
      },
      {
        service: 'b/new',
        note: "The older Service x/other has node port 30080 (TCP); this one isn't served there.",
      },
    ]);
  });

  it('stays short', () => {
    const conflicts = Array.from({ length: 40 }, (_, index) => ({
      id: `ip services 203.0.113.${index} . tcp . 80`,
      winner: 'a/old',
      losers: ['b/new'],
    }));
    expect(describeLostFrontends(conflicts)[0]?.note).to.match(
      /203\.0\.113\.4 port 80 \(TCP\), and 35 more;/,
    );
  });
});
