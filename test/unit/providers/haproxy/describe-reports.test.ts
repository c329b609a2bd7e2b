import { expect } from 'chai';
import { describeReports, type HaproxyModel } from '../../../../providers/haproxy/describe-reports.ts';
import type { HeardReport } from '../../../../providers/haproxy/edges.ts';
import { validateHaproxy } from '../../../../providers/haproxy/validate-haproxy.ts';
import type { Traffic } from '../../../../providers/provider.ts';

const MODEL: HaproxyModel = {
  provider: 'edge',
  addedByEach: false,
  addresses: ['192.0.2.1', '192.0.2.2'],
  unserved: [],
};
const report = (name: string, more: Partial<HeardReport> = {}): HeardReport => ({
  name,
  serving: true,
  addresses: ['192.0.2.1', '192.0.2.2'],
  ...more,
});

describe('providers/haproxy: what the edges say', () => {
  it('shows no address before an edge listens on it, and says what to run', () => {
    const status = describeReports(MODEL, []);
    expect(status.ingress).to.deep.equal([]);
    expect(status.notProgrammed?.reason).to.equal('NoEdge');
    expect(status.notProgrammed?.message).to.include('fairlead edge --provider edge');
  });

  it('shows an address that one of the edges listens on, as a proxy', () => {
    const status = describeReports(MODEL, [
      report('a', { addresses: ['192.0.2.2', '192.0.2.9'] }),
      report('b', { serving: false, addresses: ['192.0.2.1'] }),
    ]);
    expect(status.ingress).to.deep.equal([{ ip: '192.0.2.2', ipMode: 'Proxy' }]);
    expect(status.notProgrammed).to.equal(undefined);
  });

  it('names the edge that something is wrong with, while the others serve', () => {
    const fault = { reason: 'ConfigurationRefused', message: 'invalid network' };
    const status = describeReports(MODEL, [report('a'), report('b', { serving: false, ...fault })]);
    expect(status.ingress).to.have.length(2);
    expect(status.notProgrammed).to.deep.equal({
      reason: 'ConfigurationRefused',
      message: 'Edge "b": invalid network',
    });
  });

  it('says that UDP is not possible, and serves the rest', () => {
    const status = describeReports({ ...MODEL, unserved: ['53/UDP'] }, [report('a')]);
    expect(status.ingress).to.have.length(2);
    expect(status.notProgrammed?.reason).to.equal('ProtocolNotServed');
    expect(status.notProgrammed?.message).to.include('53/UDP');
  });

  it('counts targets as the edge that sees most of them, and tells who sees fewer', () => {
    const status = describeReports(MODEL, [
      report('a', { targets: { desired: 3, healthy: 1 } }),
      report('b', { targets: { desired: 3, healthy: 3 } }),
    ]);
    expect(status.targets).to.deep.equal({ desired: 3, healthy: 3 });
    expect(status.unhealthy?.message).to.equal('Healthy targets: 1 of 3 seen by edge "a".');
  });

  it('has nothing to say against targets that are all healthy', () => {
    const status = describeReports(MODEL, [report('a', { targets: { desired: 2, healthy: 2 } })]);
    expect(status.targets).to.deep.equal({ desired: 2, healthy: 2 });
    expect(status.unhealthy).to.equal(undefined);
  });

  const traffic: Record<string, [HeardReport[], Traffic]> = {
    'an edge reaches some of its targets': [[report('a', { targets: { desired: 3, healthy: 1 } })], 'Passes'],
    'an edge has a fault, and serves': [[report('a', { reason: 'CertificateExpired' })], 'Passes'],
    'one of two edges does not serve': [
      [report('a', { targets: { desired: 1, healthy: 1 } }), report('b', { serving: false })],
      'Passes',
    ],
    'no edge reaches a target': [[report('a', { targets: { desired: 3, healthy: 0 } })], 'Stops'],
    'no edge serves': [[report('a', { serving: false })], 'Stops'],
    'nothing is heard of any edge': [[report('a', { silentSeconds: 50 })], 'Stops'],
    'of the only edge nobody knows yet whether it is there': [[report('a', { unproven: true })], 'Unknown'],
    'one is there, and of the other nobody knows yet': [
      [report('a', { unproven: true }), report('b')],
      'Passes',
    ],
  };
  for (const [when, [reports, expected]] of Object.entries(traffic)) {
    it(`says ${expected} of traffic when ${when}`, () => {
      expect(describeReports(MODEL, reports).traffic).to.equal(expected);
    });
  }

  it('counts no edge that fell silent while another serves: neither its addresses nor its targets nor its faults', () => {
    const dead = report('b', {
      silentSeconds: 60,
      addresses: ['192.0.2.2'],
      targets: { desired: 3, healthy: 3 },
      reason: 'PortTaken',
    });
    const status = describeReports(MODEL, [
      report('a', { addresses: ['192.0.2.1'], targets: { desired: 1, healthy: 1 } }),
      dead,
    ]);
    expect(status).to.deep.equal({
      ingress: [{ ip: '192.0.2.1', ipMode: 'Proxy' }],
      traffic: 'Passes',
      targets: { desired: 1, healthy: 1 },
    });
  });

  it('keeps the addresses of a silent edge that nobody takes the place of, and says so', () => {
    const status = describeReports(MODEL, [
      report('a', { silentSeconds: 60 }),
      report('b', { serving: false }),
    ]);
    expect(status.ingress).to.have.length(2);
    expect(status.notProgrammed?.reason).to.equal('EdgeSilent');
    expect(status.notProgrammed?.message).to.include('edge "a"');
  });

  it('says that two edges claim one address, who they are and what to do, and shows it all the same', () => {
    const model = { ...MODEL, addedByEach: true, unserved: ['53/UDP'] };
    const reports = [
      report('a', { live: true }),
      report('b', { live: true, addresses: ['192.0.2.2'] }),
      report('c', { live: true, addresses: ['192.0.2.9'], reason: 'CertificateExpired', message: 'late' }),
    ];
    const { ingress, notProgrammed } = describeReports(model, reports);
    expect(ingress).to.have.length(2);
    expect(notProgrammed?.reason).to.equal('AddressConflict');
    expect(notProgrammed?.message).to.match(/^Edges "a" and "b" each add 192\.0\.2\.2 to their machines/);
    expect(notProgrammed?.message).to.include('set haproxy.vrrp of provider "edge"');
    expect(notProgrammed?.message).to.match(/Edge "c": late$/);
  });

  for (const [name, model, second] of [
    ['VRRP or others bring addresses to one of them', MODEL, { live: true }],
    ['the other does not serve', { ...MODEL, addedByEach: true }, { live: true, serving: false }],
    ['the other fell silent', { ...MODEL, addedByEach: true }, { silentSeconds: 60 }],
    ['nobody hears of the other, nor ever did', { ...MODEL, addedByEach: true }, { live: false }],
  ] as const) {
    it(`finds no conflict of two edges where ${name}`, () => {
      const reports = [report('a', { live: true }), report('b', second)];
      expect(describeReports(model, reports).notProgrammed).to.equal(undefined);
    });
  }

  it('refuses a health port of nodes for pods', () => {
    const haproxy = {
      balance: 'roundrobin' as const,
      hardStopAfterSeconds: 86_400,
      timeouts: { connectSeconds: 3, clientSeconds: 60, serverSeconds: 60 },
      healthCheck: { port: 10256, intervalSeconds: 2, healthyThreshold: 2, unhealthyThreshold: 2 },
      proxyProtocol: 'None' as const,
      tls: { minimumVersion: 'TLSv1.2' as const },
    };
    const spec = (mode: 'NodePort' | 'Pod') => ({
      default: false,
      scheme: 'Public' as const,
      targets: { mode, drainSeconds: 30 },
      drift: { policy: 'Repair' as const, intervalSeconds: 300 },
      deletion: 'Delete' as const,
      haproxy,
    });
    expect(validateHaproxy(spec('NodePort'))).to.deep.equal([]);
    expect(validateHaproxy(spec('Pod')).map(({ reason }) => reason)).to.deep.equal([
      'HealthCheckPortNotServed',
    ]);
  });
});
