import { expect } from 'chai';
import { canonicalAddress } from '../../../../agent/endpoints/canonical-address.ts';

describe('agent: addresses as the kernel prints them', () => {
  const cases: [string, ReturnType<typeof canonicalAddress>][] = [
    ['10.0.0.1', { family: 'ip', text: '10.0.0.1' }],
    ['010.000.0.01', { family: 'ip', text: '10.0.0.1' }],
    ['0.0.0.0', { family: 'ip', text: '0.0.0.0' }],
    ['FD00:0::1', { family: 'ip6', text: 'fd00::1' }],
    ['::ffff:10.0.0.1', { family: 'ip', text: '10.0.0.1' }],
    ['fe80::1%eth0', null],
    ['10.0.0', null],
    ['256.0.0.1', null],
    ['', null],
  ];
  for (const [given, wanted] of cases) {
    it(`take ${JSON.stringify(given)} for ${wanted?.text ?? 'none'}`, () => {
      expect(canonicalAddress(given)).to.deep.equal(wanted);
    });
  }
});
