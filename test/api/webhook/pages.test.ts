import { text } from 'node:stream/consumers';
import { expect } from 'chai';
import { loadBalancerProviderSpecSchema } from '../../../crds/load-balancer-provider.ts';
import type { LoadBalancerId } from '../../../providers/provider.ts';
import { CONTRACT_VERSION } from '../../../providers/webhook/contract.ts';
import { createWebhookProvider } from '../../../providers/webhook/webhook.ts';
import { ScriptedServer, sendJson } from '../../peers/scripted-server.ts';

const { signal } = new AbortController();
const id = (name: string, clusterId = 'c'): LoadBalancerId => ({
  clusterId,
  namespace: 'n',
  name,
  serviceUid: 'u',
});

describe('providers/webhook: a look at all that a server has', () => {
  let server: ScriptedServer;
  let asked: unknown[];

  /** By what the page before said. */
  const serve = async (pages: Record<string, { ids: LoadBalancerId[]; next?: string }>) => {
    asked = [];
    server = await ScriptedServer.start((request, response) => {
      const taken = text(request).then((sent) => {
        const { continue: at = '' } = JSON.parse(sent);
        asked.push(at);
        const { ids = [], next } = pages[at] ?? {};
        const loadBalancers = ids.map((each) => ({ id: each, state: { ingress: [] } }));
        const more = next === undefined ? {} : { continue: next };
        sendJson(response, 200, { apiVersion: CONTRACT_VERSION, loadBalancers, ...more });
      });
      taken.catch(() => response.destroy());
    });
  };
  const look = async () => {
    const spec = loadBalancerProviderSpecSchema.parse({ webhook: { url: server.url } });
    const provider = createWebhookProvider({
      readSecret: async () => ({}),
      readConfigMap: async () => ({}),
      observeCall: () => {},
      tellProvider: () => {},
    });
    const seen: string[][] = [];
    const owners = await provider.refresh?.({ name: 'own', spec }, 'c', signal, (ids) =>
      seen.push(ids.map(({ name }) => name)),
    );
    return { seen, owners: (owners ?? []).map(({ name }) => name) };
  };
  afterEach(async () => await server.stop());

  it('goes on page by page, and tells of each as soon as it was read', async () => {
    await serve({ '': { ids: [id('a.own'), id('b.own')], next: 'two' }, two: { ids: [id('c.own')] } });
    expect(await look()).to.deep.equal({
      seen: [['a.own', 'b.own'], ['c.own']],
      owners: ['a.own', 'b.own', 'c.own'],
    });
    expect(asked).to.deep.equal(['', 'two']);
  });

  it('takes nothing of another cluster or provider for ours, whatever the server says', async () => {
    await serve({ '': { ids: [id('a.own', 'another'), id('a.other'), id('a.own')] } });
    expect((await look()).owners).to.deep.equal(['a.own']);
  });

  it('gives up where the pages never end', async () => {
    asked = [];
    let count = 0;
    server = await ScriptedServer.start((_, response) => {
      count += 1;
      sendJson(response, 200, { apiVersion: CONTRACT_VERSION, loadBalancers: [], continue: `${count}` });
    });
    const failure = await look().then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(failure).to.include({ class: 'Transient', reason: 'BadAnswer' });
    expect(count).to.equal(1_000);
  });

  it('ends where a server says the same page again', async () => {
    await serve({ '': { ids: [id('a.own')], next: 'x' }, x: { ids: [id('b.own')], next: 'x' } });
    expect((await look()).owners).to.deep.equal(['a.own', 'b.own']);
    expect(asked).to.deep.equal(['', 'x']);
  });
});
