import { expect } from 'chai';
import type { ProviderType } from '../../../crds/common.ts';
import type { LoadBalancerProvider } from '../../../crds/load-balancer-provider.ts';
import { loadBalancerProviderSpecSchema } from '../../../crds/load-balancer-provider.ts';
import { silentLogger } from '../../../kube/log.ts';
import type { KnownProvider } from '../../../operator/plan/select-providers.ts';
import { ProviderGreeter } from '../../../operator/reconcile/greet-providers.ts';
import type { Finding, Provider } from '../../../providers/provider.ts';
import { createWebhookProvider } from '../../../providers/webhook/webhook.ts';
import { eventually } from '../../support/eventually.ts';

const NOT_READY: Finding = { reason: 'Away', message: 'Nobody is there.' };

describe('operator/reconcile/greet-providers', () => {
  const known = new Map<string, KnownProvider>();
  let greeted: string[];
  let finding: Finding | undefined;
  let answer: Promise<void>;
  let greeter: ProviderGreeter;

  const spec = loadBalancerProviderSpecSchema.parse({ webhook: { url: 'https://lb.example.com' } });
  const object = (name: string, generation: number): LoadBalancerProvider => ({
    apiVersion: 'fairlead.dev/v1alpha1',
    kind: 'LoadBalancerProvider',
    metadata: { name, generation },
    spec,
  });
  const times = (name: string) => greeted.filter((each) => each === name).length;

  beforeEach(() => {
    known.clear();
    greeted = [];
    finding = undefined;
    answer = Promise.resolve();
    const webhook: Provider = {
      ...createWebhookProvider({
        readSecret: async () => ({}),
        readConfigMap: async () => ({}),
        observeCall: () => {},
        tellProvider: () => {},
      }),
      readiness: () => finding,
      greet: async ({ name }) => {
        greeted.push(name);
        await answer;
      },
    };
    const providers = new Map<ProviderType, Provider>([['webhook', webhook]]);
    const compiled = { providers: known };
    greeter = new ProviderGreeter({ compiled, providers, log: silentLogger }, { tickMs: 2, againMs: 20 });
    greeter.start();
  });
  afterEach(async () => await greeter.stop());

  it('asks each that is accepted once, and again when it is configured otherwise', async () => {
    known.set('one', { object: object('one', 1), findings: [] });
    known.set('wrong', { object: object('wrong', 1), findings: [NOT_READY] });
    await eventually(() => expect(times('one')).to.equal(1));
    known.set('one', { object: object('one', 2), findings: [] });
    await eventually(() => expect(times('one')).to.equal(2));
    known.set('late', { object: object('late', 1), findings: [] });
    await eventually(() => expect(times('late')).to.equal(1));
    expect(times('one')).to.equal(2);
    expect(times('wrong')).to.equal(0);
  });

  it('asks again as long as it can not serve, and not before it has answered', async () => {
    finding = NOT_READY;
    answer = Promise.reject(new Error('away'));
    answer.catch(() => {});
    known.set('one', { object: object('one', 1), findings: [] });
    await eventually(() => expect(times('one')).to.be.at.least(3));

    const slow = Promise.withResolvers<void>();
    answer = slow.promise;
    const before = times('one');
    await eventually(() => expect(times('one')).to.equal(before + 1));
    known.set('other', { object: object('other', 1), findings: [] });
    await eventually(() => expect(times('other')).to.equal(1));
    expect(times('one')).to.equal(before + 1);
    finding = undefined;
    slow.resolve();
  });
});
