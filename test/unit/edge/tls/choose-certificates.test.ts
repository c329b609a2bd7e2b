import { expect } from 'chai';
import type { LoadBalancer, LoadBalancerSpec } from '../../../../crds/load-balancer.ts';
import { buildModel } from '../../../../edge/build-model.ts';
import type { ServiceModel } from '../../../../edge/model.ts';
import type { CertificateState } from '../../../../edge/tls/edge-certificates.ts';

const NOW = new Date('2026-01-01T00:00:00Z');
const LATER = new Date('2026-02-01T00:00:00Z');
const EARLIER = new Date('2025-12-01T00:00:00Z');
const FAULT = { reason: 'CertificateMissing', message: 'It is not there.' };

const good = (file: string): CertificateState => ({ file, notAfter: LATER, fault: undefined });
const missing: CertificateState = { file: undefined, notAfter: undefined, fault: FAULT };

function loadBalancer(tls: NonNullable<LoadBalancerSpec['haproxy']>['tls']): LoadBalancer {
  return {
    metadata: { name: 'web.edge', namespace: 'shop', uid: 'u1', generation: 1 },
    spec: {
      service: { name: 'web', uid: 'u' },
      provider: { name: 'edge', type: 'haproxy' },
      scheme: 'Public',
      addresses: [{ address: '192.0.2.1', family: 'IPv4', pool: 'p' }],
      frontends: [
        { name: 'http', protocol: 'TCP', port: 80, nodePort: 30_080 },
        { name: 'https', protocol: 'TCP', port: 443, nodePort: 30_443 },
        { name: 'dns', protocol: 'UDP', port: 53, nodePort: 30_053 },
      ],
      targets: { mode: 'NodePort', drainSeconds: 30 },
      externalTrafficPolicy: 'Cluster',
      haproxy: { tls },
    },
  };
}

function build(
  tls: NonNullable<LoadBalancerSpec['haproxy']>['tls'],
  states: Readonly<Record<string, CertificateState>>,
  loaded: readonly ServiceModel[] = [],
) {
  const { certificates, services } = buildModel({
    provider: {},
    loadBalancers: [loadBalancer(tls)],
    nodes: [],
    slicesOf: () => [],
    certificateOf: (secret) => states[secret],
    loaded: new Map(loaded.map((service) => [service.key, service])),
    now: NOW,
  });
  const [service] = services;
  if (service === undefined) throw new Error('there is no Service');
  const files = Object.fromEntries(service.frontends.map(({ port, tls: own }) => [port, own?.files]));
  return { service, files, report: certificates.get('shop/web.edge') };
}

describe('edge: where TLS is ended, and with what', () => {
  it('ends it at the ports that are named, by name or number', () => {
    for (const ports of [['https'], ['443']]) {
      const { files } = build({ secretNames: ['a'], ports }, { 'shop/a': good('a.pem') });
      expect(files).to.deep.equal({ 80: undefined, 443: ['a.pem'] });
    }
  });

  it('ends it at all TCP ports where none is named', () => {
    const { files } = build({ secretNames: ['a'] }, { 'shop/a': good('a.pem') });
    expect(files).to.deep.equal({ 80: ['a.pem'], 443: ['a.pem'] });
  });

  it('leaves out what is to be encrypted and has no certificate, and says why', () => {
    const { files, report } = build({ secretNames: ['a'], ports: ['https'] }, { 'shop/a': missing });
    expect(files).to.deep.equal({ 80: undefined });
    expect(report?.faults).to.deep.equal([FAULT]);
  });

  it('is served with those that are there, in their order', () => {
    const states = { 'shop/a': missing, 'shop/b': good('b.pem'), 'shop/c': good('c.pem') };
    const { files, report } = build({ secretNames: ['c', 'a', 'b'], ports: ['443'] }, states);
    expect(files).to.deep.equal({ 80: undefined, 443: ['c.pem', 'b.pem'] });
    expect(report?.faults).to.deep.equal([FAULT]);
    expect(report?.served.map(({ secretName }) => secretName)).to.deep.equal(['c', 'b']);
  });

  it('keeps what was loaded last where another certificate is named that is not there, of the same object only', () => {
    const { service } = build({ secretNames: ['a'], ports: ['https'] }, { 'shop/a': good('a.pem') });
    const other = { secretNames: ['b'], ports: ['https'] };
    expect(build(other, { 'shop/b': missing }, [service]).files).to.deep.equal({
      80: undefined,
      443: ['a.pem'],
    });
    expect(build(other, { 'shop/b': missing }, [{ ...service, uid: 'u2' }]).files).to.deep.equal({
      80: undefined,
    });
    // What was served without TLS is no reason to go on like that.
    const before = build(undefined, {}).service;
    expect(build(other, { 'shop/b': missing }, [before]).files).to.deep.equal({ 80: undefined });
  });

  it('serves one that has expired, and says so', () => {
    const states = { 'shop/a': { ...good('a.pem'), notAfter: EARLIER } };
    const { files, report } = build({ secretNames: ['a'], ports: ['https'] }, states);
    expect(files[443]).to.deep.equal(['a.pem']);
    expect(report?.faults.map(({ reason }) => reason)).to.deep.equal(['CertificateExpired']);
  });

  it('refuses a port that the Service does not have over TCP', () => {
    for (const port of ['htps', '444', 'dns', '53']) {
      const { service } = build({ secretNames: ['a'], ports: [port] }, { 'shop/a': good('a.pem') });
      expect(service.fault?.reason).to.equal('TLSPortNotFound');
      expect(service.fault?.message).to.include(`"${port}"`);
    }
  });
});
