import { expect } from 'chai';
import fc from 'fast-check';
import type { AddressPool } from '../../../crds/address-pool.ts';
import {
  parseAddressPool,
  parseLoadBalancer,
  parseLoadBalancerProvider,
  parseNodeForwarder,
  parsePortPool,
} from '../../../crds/parse.ts';

const PARSERS = [
  parseLoadBalancerProvider,
  parseAddressPool,
  parsePortPool,
  parseLoadBalancer,
  parseNodeForwarder,
];

describe('Reading an object', () => {
  it('fills in the defaults that the API server would', () => {
    const parsed = parseAddressPool({ metadata: { name: 'lab' }, spec: { addresses: ['192.0.2.0/28'] } });

    expect(parsed).to.deep.equal({
      kind: 'valid',
      object: {
        metadata: { name: 'lab' },
        spec: { addresses: ['192.0.2.0/28'], priority: 0, autoAssign: true, disabled: false },
      },
    });
  });

  it('fills in defaults of nested settings', () => {
    const parsed = parseLoadBalancerProvider({
      metadata: { name: 'lab' },
      spec: { announce: {}, targets: { mode: 'Pod' } },
    });

    const spec = parsed.kind === 'valid' ? parsed.object.spec : undefined;
    expect(spec).to.deep.include({
      default: false,
      targets: { mode: 'Pod', drainSeconds: 30 },
      drift: { policy: 'Repair', intervalSeconds: 300 },
      deletion: 'Delete',
    });
  });

  it('is an object of its kind, with metadata as it was', () => {
    const metadata = { name: 'lab', labels: { a: 'b' }, resourceVersion: '7' };
    const parsed = parseAddressPool({ metadata, spec: { addresses: ['192.0.2.0/28'] } });
    const pool: AddressPool | undefined = parsed.kind === 'valid' ? parsed.object : undefined;

    expect(pool?.metadata).to.deep.equal(metadata);
  });

  it('names each field that does not fit', () => {
    const parsed = parseAddressPool({
      metadata: { name: 'lab' },
      spec: { addresses: ['192.0.2.0/28', 7], priority: 'high' },
    });

    const messages = parsed.kind === 'invalid' ? parsed.findings.map(({ message }) => message) : [];
    expect(messages).to.have.length(2);
    expect(messages[0]).to.match(/^spec\.addresses\.1: .*string/);
    expect(messages[1]).to.match(/^spec\.priority: .*number/);
  });

  it('wants a name', () => {
    expect(parseNodeForwarder({ spec: { nodeName: 'n' } })).to.deep.equal({
      kind: 'invalid',
      findings: [{ reason: 'InvalidSpec', message: 'metadata: must be there, with a name.' }],
    });
  });

  it('drops fields that it does not know, as the API server does', () => {
    const parsed = parsePortPool({ metadata: { name: 'p' }, spec: { nodePorts: ['31000'], colour: 'red' } });

    expect(parsed.kind === 'valid' && 'colour' in parsed.object.spec).to.equal(false);
  });

  it('keeps a status that fits, and leaves out one that does not', () => {
    const raw = { metadata: { name: 'p' }, spec: { nodePorts: ['31000'] } };
    const nodePorts = { total: 1, used: 0, free: 1 };

    const kept = parsePortPool({ ...raw, status: { nodePorts } });
    const dropped = parsePortPool({ ...raw, status: { nodePorts: 'many' } });

    expect(kept).to.have.nested.property('object.status').that.deep.equals({ nodePorts });
    expect(dropped.kind).to.equal('valid');
    expect(dropped).not.to.have.nested.property('object.status');
  });

  it('says something of anything, and never throws', () => {
    fc.assert(
      fc.property(fc.constantFrom(...PARSERS), fc.anything(), fc.anything(), (parse, anything, spec) => {
        expect(parse(anything).kind).to.equal('invalid');
        const parsed = parse({ metadata: { name: 'x' }, spec });
        if (parsed.kind === 'invalid') expect(parsed.findings).not.to.have.length(0);
      }),
    );
  });
});
