import { expect } from 'chai';
import { buildStatus, type ForwarderFacts } from '../../../agent/status/build-status.ts';
import { findCondition } from '../../../kube/conditions.ts';
import { WELL } from '../../support/forwarder-facts.ts';

function conditionOf(facts: Partial<ForwarderFacts>, type: string) {
  return findCondition(buildStatus({ ...WELL, ...facts }, [], '2026-01-01T00:00:00Z').conditions, type);
}

describe('agent: the report of a node', () => {
  it('is ready when all is programmed, and says why when not', () => {
    expect(conditionOf({}, 'Ready')).to.include({ status: 'True', reason: 'Programmed' });
    expect(conditionOf({ programmed: false }, 'Ready')).to.include({ status: 'False', reason: 'Starting' });
    const failed = conditionOf({ failure: 'no nft' }, 'Ready');
    expect(failed).to.include({ status: 'False', reason: 'ApplyFailed', message: 'no nft' });
  });

  it('says what of connection tracking it can not do', () => {
    expect(conditionOf({}, 'ConntrackTended')).to.include({ status: 'True' });
    expect(conditionOf({ staleFlows: 'no conntrack' }, 'ConntrackTended')).to.include({
      status: 'False',
      reason: 'StaleFlowsStay',
      message: 'no conntrack',
    });
    const unset = conditionOf(
      { unsetSysctls: [{ path: '/proc/sys/x', value: 7, reason: 'EROFS' }] },
      'ConntrackTended',
    );
    expect(unset).to.include({ status: 'False', reason: 'SysctlsNotSet' });
    expect(unset?.message).to.include('/proc/sys/x to 7 (EROFS)');
  });

  it('says when not all clients are remembered that should be', () => {
    expect(conditionOf({}, 'AffinityKept')).to.include({ status: 'True' });
    expect(conditionOf({ overflow: 1 }, 'AffinityKept')).to.include({
      status: 'False',
      reason: 'AffinityFull',
    });
  });

  it('says when a kill may leave half of the rules, and why', () => {
    expect(conditionOf({}, 'KillSafe')).to.include({ status: 'True', reason: 'InputStaged' });
    const condition = conditionOf({ unstaged: '/dev/shm: ENOSPC' }, 'KillSafe');
    expect(condition).to.include({ status: 'False', reason: 'InputNotStaged' });
    expect(condition?.message).to.include('/dev/shm: ENOSPC');
  });

  it('names ten of the Services left out, and counts the others', () => {
    const leftOut = new Map(
      Array.from({ length: 25 }, (_, index) => [`default/s${index + 10}`, 'x'.repeat(5_000)]),
    );
    const condition = conditionOf({ leftOut }, 'ServicesComplete');

    expect(condition).to.include({ status: 'False', reason: 'ServicesLeftOut' });
    expect(condition?.message).to.match(/^25 left out: default\/s10: x+;/);
    expect(condition?.message).to.match(/; and 15 more$/);
    expect(condition?.message.length).to.be.below(4_000);
  });

  it('names who has an address and port that several claim', () => {
    const conflicts = [{ id: 'ip services 203.0.113.1 . tcp . 80', winner: 'a/old', losers: ['b/new'] }];
    expect(conditionOf({ conflicts }, 'FrontendsUnique')?.message).to.include(
      '203.0.113.1 . tcp . 80 is of a/old, not of b/new',
    );
  });

  it('names some of very many that claim one frontend: every node writes this', () => {
    const losers = Array.from({ length: 100 }, (_, index) => `team/s${index}`);
    const conflicts = [{ id: 'ip services 203.0.113.1 . tcp . 80', winner: 'a/old', losers }];
    const message = conditionOf({ conflicts }, 'FrontendsUnique')?.message;
    expect(message).to.include('team/s9, and 90 more').and.not.to.include('team/s10');
  });

  it('says which addresses no node can answer for, and why', () => {
    expect(conditionOf({}, 'AddressesOwned')).to.include({ status: 'True', reason: 'Owned' });

    const reason = 'NoInterfaceForAddress';
    const unowned = [{ address: '203.0.113.1', loadBalancers: ['default/web.announce'], reason } as const];
    expect(conditionOf({ unowned }, 'AddressesOwned')).to.include({
      status: 'False',
      reason,
      message: '1 that no node can answer for: 203.0.113.1 of default/web.announce: NoInterfaceForAddress',
    });
  });

  it('names ports of Services that it cannot listen at', () => {
    expect(conditionOf({}, 'PortsOpen')).to.include({ status: 'True', reason: 'Open' });

    const closedPorts = ['health check of default/web at 0.0.0.0 30090: address in use'];
    expect(conditionOf({ closedPorts }, 'PortsOpen')).to.include({
      status: 'False',
      reason: 'ListenFailed',
      message: `1 that can't be listened at: ${closedPorts[0]}`,
    });
  });

  it('keeps the time of a condition that stays, and the size of the object bounded', () => {
    const before = buildStatus(WELL, [], '2026-01-01T00:00:00Z');
    const announced = Array.from({ length: 5_000 }, (_, index) => `198.18.${index >> 8}.${index & 255}`);
    const after = buildStatus(
      { ...WELL, announced, failure: 'x' },
      before.conditions,
      '2026-01-02T00:00:00Z',
    );

    expect(findCondition(after.conditions, 'FrontendsUnique')?.lastTransitionTime).to.equal(
      '2026-01-01T00:00:00Z',
    );
    expect(findCondition(after.conditions, 'Ready')?.lastTransitionTime).to.equal('2026-01-02T00:00:00Z');
    expect(after.announced).to.have.length(1024);
    expect(after.announcedCount).to.equal(5_000);
  });
});
