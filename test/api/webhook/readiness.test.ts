import { expect } from 'chai';
import {
  type LoadBalancerProviderSpec,
  loadBalancerProviderSpecSchema,
} from '../../../crds/load-balancer-provider.ts';
import type { Provider, Subject } from '../../../providers/provider.ts';
import { CONTRACT_VERSION } from '../../../providers/webhook/contract.ts';
import { createWebhookProvider } from '../../../providers/webhook/webhook.ts';
import { ScriptedServer, sendJson } from '../../peers/scripted-server.ts';

const { signal } = new AbortController();
const apiVersion = CONTRACT_VERSION;
const answers: Readonly<Record<string, object>> = {
  validate: { apiVersion, findings: [] },
  plan: { apiVersion, changes: [], state: { ingress: [{ ip: '192.0.2.1' }], againAfterSeconds: 1 } },
  observe: { apiVersion, loadBalancers: [] },
};

describe('providers/webhook: whether a server can serve', () => {
  let server: ScriptedServer;
  let provider: Provider;
  let told: [name: string, recovered: boolean][];
  let spec: LoadBalancerProviderSpec;
  /** By operation, in the place of what is usual. */
  let instead: Record<string, [code: number, body: object] | 'break'>;

  beforeEach(async () => {
    told = [];
    instead = {};
    server = await ScriptedServer.start((request, response, url) => {
      const operation = url.pathname.replace('/v1/', '');
      const other = instead[operation];
      if (other === 'break') request.socket.destroy();
      else sendJson(response, other?.[0] ?? 200, other?.[1] ?? answers[operation]);
    });
    spec = loadBalancerProviderSpecSchema.parse({ webhook: { url: server.url, retries: 0 } });
    provider = createWebhookProvider({
      readSecret: async () => ({}),
      readConfigMap: async () => ({}),
      observeCall: () => {},
      tellProvider: (...args) => told.push(args),
    });
  });
  afterEach(async () => await server.stop());

  const subject = (more: Partial<Subject> = {}): Subject => ({
    id: { clusterId: 'c', namespace: 'n', name: 'web.own', serviceUid: 'u' },
    provider: { name: 'own', spec },
    spec: {
      service: { name: 'web', uid: 'u' },
      provider: { name: 'own', type: 'webhook' },
      scheme: 'Public',
      targets: { mode: 'NodePort', drainSeconds: 0 },
      externalTrafficPolicy: 'Cluster',
    },
    ...more,
  });
  const serves = async (of = subject()) =>
    await provider.observe(of, undefined, signal).then(
      () => true,
      () => false,
    );
  const error = (reason: string) => ({ apiVersion, reason, message: 'So it is.' });
  const reason = () => provider.readiness?.(spec)?.reason;

  it('is asked once, however many are served', async () => {
    const all = await Promise.all([1, 2, 3].map(() => serves()));
    expect(all).to.deep.equal([true, true, true]);
    expect(await serves()).to.equal(true);
    expect(server.requests.filter((each) => each.endsWith('/validate'))).to.have.length(1);
    expect(reason()).to.equal(undefined);
    expect(told).to.deep.equal([]);
  });

  for (const [code, word] of [
    [422, 'TooManyPorts'],
    [503, 'NoCapacity'],
    [500, 'DeviceError'],
  ] as const) {
    it(`is not in question where it has something against one load balancer (${code})`, async () => {
      instead.plan = [code, error(word)];
      expect(await serves()).to.equal(false);
      expect(reason()).to.equal(undefined);
      expect(told).to.deep.equal([]);
    });
  }

  const away: [name: string, fault: [number, object] | 'break', said: string][] = [
    ['the connection breaks', 'break', 'ConnectionLost'],
    ['somebody in between answers', [502, {}], 'ServerError'],
    ['it refuses the credentials', [403, error('Forbidden')], 'Forbidden'],
    ['it speaks another version', [400, error('UnsupportedVersion')], 'UnsupportedVersion'],
    ['its answer is none', [200, {}], 'BadAnswer'],
  ];
  for (const [name, fault, said] of away) {
    it(`is told where ${name}, and taken back with the next answer`, async () => {
      instead.plan = fault;
      expect(await serves()).to.equal(false);
      expect(reason()).to.equal(said);
      instead = {};
      expect(await serves()).to.equal(true);
      expect(reason()).to.equal(undefined);
      expect(told).to.deep.equal([
        ['own', false],
        ['own', true],
      ]);
    });
  }

  it('is said by it alone where it refuses the configuration: what else it answers takes nothing back', async () => {
    instead.validate = [
      200,
      { apiVersion, findings: [{ reason: 'NoAddresses', message: 'There is none.' }] },
    ];
    expect(await serves()).to.equal(false);
    expect(server.requests.filter((each) => each.endsWith('/plan'))).to.deep.equal([]);
    expect(await serves(subject({ spec: undefined }))).to.equal(true);
    expect(reason()).to.equal('NoAddresses');
    instead = {};
    await provider.greet?.({ name: 'own', spec }, signal);
    expect(reason()).to.equal(undefined);
    expect(told).to.deep.equal([
      ['own', false],
      ['own', true],
    ]);
  });

  it('does not keep anything from being taken away', async () => {
    instead.validate = 'break';
    expect(await serves(subject({ spec: undefined }))).to.equal(true);
    expect(server.requests).to.deep.equal(['POST /v1/observe']);
  });
});
