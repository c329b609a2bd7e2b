import { expect } from 'chai';
import { dropped, notServed, refused, served } from '../../net/conformance/support/case.ts';
import { judge } from '../../net/conformance/support/judge.ts';
import { N1, N2, P1A, P2A } from '../../net/conformance/support/places.ts';
import type { Outcome } from '../../net/support/station-protocol.ts';

const CALLER = '10.244.3.2';
const by = (name: string, from = CALLER, at = 8080): Outcome => ({
  result: 'served',
  by: name,
  from,
  at,
  on: '',
  tookMs: 1,
});
const ended = (result: 'refused' | 'timeout'): Outcome => ({ result, tookMs: 1 });
const judged = (...[expectation, outcomes, replies]: [Parameters<typeof judge>[0], Outcome[], string[]?]) =>
  judge(expectation, { outcomes, ...(replies === undefined ? {} : { replies }) }, CALLER, 'IPv4');

describe('judging what came of dials', () => {
  it('wants each server that is expected, and no other', () => {
    expect(judged(served([P1A, P2A]), [by(P1A.name), by(P2A.name)])).to.equal(undefined);
    expect(judged(served([P1A, P2A]), [by(P1A.name), by(P1A.name)])).to.match(/cp2-1 never served/);
    expect(judged(served([P1A]), [by(P1A.name), by(P2A.name)])).to.match(/expected to be served by cp1-1/);
    expect(judged(served([P1A]), [by(P1A.name), ended('timeout')])).to.match(/1 x timeout/);
  });

  it('wants each server to have its share', () => {
    const outcomes = [by(P1A.name), by(P1A.name), by(P1A.name), by(P2A.name)];
    expect(judged(served([P1A, P2A], { share: [0.2, 0.8] }), outcomes)).to.equal(undefined);
    expect(judged(served([P1A, P2A], { share: [0.35, 0.65] }), outcomes)).to.match(/served 0.75/);
  });

  it('wants callers to be seen as themselves, where that is expected', () => {
    expect(judged(served([P1A], { as: 'itself' }), [by(P1A.name)])).to.equal(undefined);
    expect(judged(served([P1A], { as: 'itself' }), [by(P1A.name, '10.89.0.11')])).to.match(/saw 10.89.0.11/);
  });

  it('lets a node show its own pods any of its addresses, and others the one of the node network', () => {
    expect(judged(served([P1A], { as: N1 }), [by(P1A.name, '169.254.1.1')])).to.equal(undefined);
    expect(judged(served([P2A], { as: N1 }), [by(P2A.name, '10.89.0.11')])).to.equal(undefined);
    expect(judged(served([P2A], { as: N1 }), [by(P2A.name, '169.254.1.1')])).to.match(/expected cn1/);
    expect(judged(served([P2A], { as: N2 }), [by(P2A.name, '10.89.0.11')])).to.match(/expected cn2/);
  });

  it('wants the port of the server', () => {
    expect(judged(served([P1A], { port: 8081 }), [by(P1A.name)])).to.match(/reached 8080/);
  });

  it('takes only ECONNREFUSED for a refusal, and only the packet that is expected', () => {
    expect(judged(refused(), [ended('refused')])).to.equal(undefined);
    expect(judged(refused(), [ended('timeout')])).to.match(/was 1 x timeout/);
    expect(judged(refused('icmp'), [ended('refused')], ['in 2 icmp 3 3'])).to.equal(undefined);
    expect(judged(refused('icmp'), [ended('refused')], ['in 2 icmp 1 4'])).to.equal(undefined);
    expect(judged(refused('icmp'), [ended('refused')], ['in 2 tcp AR'])).to.match(/saw in 2 tcp AR/);
    expect(judged(refused('icmp'), [ended('refused')], ['in 2 icmp 3 13'])).to.match(/saw in 2 icmp 3 13/);
    expect(judged(refused('reset'), [ended('refused')], ['in 2 tcp AR'])).to.equal(undefined);
    expect(judged(refused('reset'), [ended('refused')], [])).to.match(/saw no packet/);
  });

  it('takes only silence for a drop', () => {
    expect(judged(dropped, [ended('timeout')], [])).to.equal(undefined);
    expect(judged(dropped, [ended('timeout')], ['in 2 icmp 3 1'])).to.match(/saw in 2 icmp 3 1/);
    expect(judged(dropped, [ended('refused')], [])).to.match(/was 1 x refused/);
  });

  it('takes anything but an answer for not served', () => {
    expect(judged(notServed, [ended('timeout'), ended('refused')])).to.equal(undefined);
    expect(judged(notServed, [ended('timeout'), by(P1A.name)])).to.match(/1 x served by cp1-1/);
  });
});
