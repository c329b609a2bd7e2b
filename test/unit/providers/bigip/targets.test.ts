import { expect } from 'chai';
import { Rig } from './support/rig.ts';

const POOL = 'pool_tcp_80_ipv4';
const DRAIN_MS = 30_000;

describe('providers/bigip: targets', () => {
  let rig: Rig;

  beforeEach(async () => {
    rig = await Rig.start();
  });
  afterEach(() => rig.stop());

  /** As the device has them: `10.0.0.1:30080 monitor-enabled`. */
  function members(): string[] {
    const [pool] = rig.peer.unit.configuration.list('ltm/pool');
    const found = Array.isArray(pool?.properties.members) ? pool.properties.members : [];
    return found.map(({ address, session }) => `${address} ${session}`).sort();
  }

  it('disables who leaves, waits, and removes it; across a restart of the operator', async () => {
    const [both, one] = [rig.desire({ nodes: ['10.0.0.1', '10.0.0.2'] }), rig.desire()];
    await rig.bring(both);
    await rig.bring(one);
    expect(members()).to.deep.equal(['10.0.0.1 user-enabled', '10.0.0.2 user-disabled']);
    const status = await rig.status(one);
    expect(status.waitsForOthers).to.include('10.0.0.2:30080');
    expect(status.againAfterSeconds).to.be.within(1, DRAIN_MS / 1000);
    expect(status.targets).to.deep.equal({ desired: 1, healthy: 1 });
    expect(await rig.compare(one)).to.deep.equal([]);

    rig.now += DRAIN_MS - 1_000;
    rig.restartOperator();
    expect(await rig.compare(one)).to.deep.equal([]);
    rig.now += 1_000;
    const [change] = await rig.bring(one);
    expect(change?.fields?.map(({ expected, field }) => [field, expected])).to.deep.equal([
      [`${POOL}.members[10.0.0.2:30080]`, '(none)'],
    ]);
    expect(members()).to.deep.equal(['10.0.0.1 user-enabled']);
    expect((await rig.status(one)).waitsForOthers).to.equal(undefined);
  });

  it('lets one that comes back serve again', async () => {
    const [both, one] = [rig.desire({ nodes: ['10.0.0.1', '10.0.0.2'] }), rig.desire()];
    await rig.bring(both);
    await rig.bring(one);
    await rig.bring(both);
    expect(members()).to.deep.equal(['10.0.0.1 user-enabled', '10.0.0.2 user-enabled']);
    rig.now += 10 * DRAIN_MS;
    expect(await rig.compare(both)).to.deep.equal([]);
  });

  it('removes at once with drainSeconds 0', async () => {
    await rig.bring(rig.desire({ nodes: ['10.0.0.1', '10.0.0.2'], drainSeconds: 0 }));
    await rig.bring(rig.desire({ drainSeconds: 0 }));
    expect(members()).to.deep.equal(['10.0.0.1 user-enabled']);
  });

  it('keeps nobody longer than drainSeconds, whatever is written on the device', async () => {
    const both = rig.desire({ nodes: ['10.0.0.1', '10.0.0.2'] });
    const one = rig.desire();
    await rig.bring(both);
    await rig.bring(one);
    const model = rig.provider.build(one);
    const observed = await rig.provider.observe(one, undefined, rig.signal);
    const stored = observed.applications[model.application] ?? {};
    const late = JSON.parse(
      JSON.stringify(stored).replace(/draining until [^"]+/, 'draining until 2099-01-01T00:00:00Z'),
    );
    const again = { ...observed, applications: { [model.application]: late } };
    const [change] = rig.provider.diff(model, again);
    expect(change?.summary).to.include('2099');
    const told = rig.provider.status(model, again).againAfterSeconds;
    expect(told).to.be.at.most(DRAIN_MS / 1000);
  });

  it('tells targets that are down, and asks again less and less often', async () => {
    const web = rig.desire({ nodes: ['10.0.0.1', '10.0.0.2'] });
    rig.peer.setMember('10.0.0.1', { up: false });
    rig.peer.setMember('10.0.0.2', { up: false });
    await rig.bring(web);
    const status = await rig.status(web);
    expect(status.targets).to.deep.equal({ desired: 2, healthy: 0 });
    expect(status.unhealthy).to.deep.equal({
      reason: 'NoHealthyTarget',
      message: '0 of 2 targets are up (2 down).',
    });
    expect(status.ingress).to.have.length(1);
    expect(status.againAfterSeconds).to.be.within(1, 60);
    rig.peer.calls.reset();
    await rig.status(web);
    expect(rig.peer.calls.all, 'asked at once again').to.deep.equal([]);

    rig.peer.setMember('10.0.0.1', { up: true });
    await rig.refresh(web);
    const { targets, unhealthy } = await rig.status(web);
    expect(targets).to.deep.equal({ desired: 2, healthy: 1 });
    expect(unhealthy).to.equal(undefined);
  });

  it('tells that there is nobody to send traffic to', async () => {
    const web = rig.desire({ nodes: [] });
    await rig.bring(web);
    expect((await rig.status(web)).unhealthy?.reason).to.equal('NoTargets');
  });

  it('tells which pods are up, for their readiness gates', async () => {
    const web = rig.desire();
    web.spec.targets.mode = 'Pod';
    web.nodes = [];
    for (const [index, pod] of ['web-a', 'web-b'].entries()) {
      web.pods.push({
        protocol: 'TCP',
        port: 80,
        address: `10.1.0.${index}`,
        targetPort: 8080,
        pod,
        gated: true,
      });
    }
    rig.peer.setMember('10.1.0.1', { up: false });
    await rig.bring(web);
    expect((await rig.status(web)).healthyPods).to.deep.equal(['web-a']);
  });
});
