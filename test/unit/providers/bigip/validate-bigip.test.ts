import { expect } from 'chai';
import { validateBigip } from '../../../../providers/bigip/validate-bigip.ts';
import { desire } from './support/desired.ts';

describe('providers/bigip/validate-bigip', () => {
  function reasons(bigip: Record<string, unknown>, mode: 'NodePort' | 'Pod' = 'NodePort'): string[] {
    const { spec } = desire({ bigip }).provider;
    return validateBigip({ ...spec, targets: { mode, drainSeconds: 30 } }).map(({ reason }) => reason);
  }

  it('has nothing to say of what has an effect', () => {
    expect(reasons({})).to.deep.equal([]);
    expect(reasons({ profiles: { fastL4: '/Common/fastL4' }, healthCheck: { port: 10256 } })).to.deep.equal(
      [],
    );
    expect(reasons({ virtualServers: 'Standard', profiles: { tcp: '/Common/tcp' } })).to.deep.equal([]);
  });

  it('tells profiles of the other kind of virtual servers', () => {
    expect(reasons({ profiles: { tcp: '/Common/tcp' } })).to.deep.equal(['ProfileNotUsed']);
    expect(reasons({ virtualServers: 'Standard', profiles: { fastL4: '/Common/fastL4' } })).to.deep.equal([
      'ProfileNotUsed',
    ]);
  });

  it('tells a health port of nodes where targets are pods', () => {
    expect(reasons({ healthCheck: { port: 10256 } }, 'Pod')).to.deep.equal(['HealthCheckPortNotServed']);
  });
});
