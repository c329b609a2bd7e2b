import { expect } from 'chai';
import type { AwsConfig } from '../../../../crds/aws-provider.ts';
import { Scopes } from '../../../../providers/aws/calls/scope.ts';
import { providerWith } from './support/desired.ts';

const MINUTE_MS = 60_000;
const never = new AbortController().signal;

describe('providers/aws/scope', () => {
  let nowMs: number;
  let scopes: Scopes;
  beforeEach(() => {
    nowMs = 0;
    scopes = new Scopes({ readSecret: async () => ({}) }, () => nowMs);
  });
  const ask = (aws: Partial<AwsConfig>, name = 'nlb') => {
    const credentials = { assumeRole: { arn: roleOf('1') } };
    // Nobody answers there.
    const endpoint = 'http://127.0.0.1:1';
    return scopes.of({ ...providerWith({ credentials, endpoint, ...aws }), name }, never);
  };
  /** Begins to ask AWS, for which it takes of its buckets. */
  const call = async (aws: Partial<AwsConfig>, name = 'nlb') => {
    const leave = new AbortController();
    const asking = (await ask(aws, name)).inventoryOf('c').ready(leave.signal);
    setImmediate(() => leave.abort());
    await asking.catch(() => {});
  };
  const roleOf = (account: string) => `arn:aws:iam::${account}:role/fairlead`;

  it('is one for all providers that say the same, and its memory with it', async () => {
    const [one, other] = [await ask({}), await ask({}, 'other')];
    expect(one).to.equal(other);
    expect(one.inventoryOf('c')).to.equal(other.inventoryOf('c'));
    expect(await ask({ timeoutSeconds: 3 })).to.not.equal(one);
  });

  it('is another for another endpoint of any service, with buckets of its own where these serve calls', async () => {
    const one = await ask({});
    for (const service of ['elbv2', 'ec2', 'sts'])
      expect(await ask({ endpoints: { [service]: 'http://127.0.0.1:2' } }, service)).to.not.equal(one);
    await call({});
    await call({ endpoints: { sts: 'http://127.0.0.1:2' } }, 'sts');
    expect(scopes.counts.buckets).to.equal(1);
    await call({ endpoints: { ec2: 'http://127.0.0.1:2' } }, 'ec2');
    expect(scopes.counts.buckets).to.equal(2);
  });

  it('is let go of some minutes after a provider says something else, with its buckets', async () => {
    for (let edit = 1; edit <= 50; edit++) {
      nowMs += 11 * MINUTE_MS;
      await call({ callRatePercent: edit });
    }
    expect(scopes.counts).to.deep.equal({ scopes: 1, buckets: 1 });
  });

  it('outlives the turns that began before the edit', async () => {
    const before = await ask({});
    nowMs += MINUTE_MS;
    await ask({ timeoutSeconds: 3 });
    nowMs += MINUTE_MS;
    expect(await ask({})).to.equal(before);
  });

  it('stays while another provider still says so, however long nobody asks', async () => {
    const shared = await ask({}, 'other');
    expect(await ask({})).to.equal(shared);
    nowMs += 1_000 * MINUTE_MS;
    await ask({ timeoutSeconds: 3 });
    nowMs += 1_000 * MINUTE_MS;
    await ask({ timeoutSeconds: 3 });
    expect(scopes.counts.scopes).to.equal(2);
    expect(await ask({}, 'other')).to.equal(shared);
  });

  it('keeps the buckets that another of the same account and rate uses', async () => {
    await call({ timeoutSeconds: 3 });
    await call({ timeoutSeconds: 4 }, 'other');
    nowMs += 11 * MINUTE_MS;
    await ask({ timeoutSeconds: 5 });
    nowMs += 11 * MINUTE_MS;
    await ask({ timeoutSeconds: 5 });
    expect(scopes.counts).to.deep.equal({ scopes: 2, buckets: 1 });
  });
});
