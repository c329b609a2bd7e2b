import { expect } from 'chai';
import type { AwsConfig, AwsOptions } from '../../../../crds/aws-provider.ts';
import { mergeOptions } from '../../../../providers/aws/options/merge-options.ts';

type Tls = NonNullable<AwsOptions['tls']>;

describe('providers/aws/merge-options', () => {
  const certificateARNs = ['arn:a'];
  const tlsOf = (ofProvider: Tls | undefined, ofService: Tls | undefined) => {
    const config: AwsConfig = { region: 'eu-central-1', ...(ofProvider && { tls: ofProvider }) };
    return mergeOptions(config, ofService && { tls: ofService }).tls;
  };

  it('puts TLS together key by key, with the certificate of either', () => {
    const merged = { certificateARNs, policy: 'p', ports: ['443'], backendProtocol: 'TLS' };
    const ofService: Tls = { ports: ['443'], backendProtocol: 'TLS' };
    expect(tlsOf({ certificateARNs, policy: 'p', ports: ['80'] }, ofService)).to.deep.equal(merged);
    expect(tlsOf({ policy: 'p' }, { certificateARNs, ...ofService })).to.deep.equal(merged);
  });

  it('has nothing of where and as whom AWS is called', () => {
    const config: AwsConfig = {
      region: 'eu-central-1',
      endpoint: 'http://127.0.0.1:1',
      endpoints: { ec2: 'http://127.0.0.1:2' },
      vpcID: 'vpc-1',
      tags: { a: 'b' },
    };
    expect(mergeOptions(config, undefined)).to.deep.equal({ tags: { a: 'b' } });
  });

  it('ends no TLS where nobody names a certificate, whoever asks for it', () => {
    expect(tlsOf({ policy: 'p' }, { ports: ['443'] })).to.equal(undefined);
    expect(tlsOf({ policy: 'p' }, undefined)).to.equal(undefined);
    expect(tlsOf(undefined, { ports: ['443'] })).to.equal(undefined);
    expect(tlsOf({ certificateARNs }, { certificateARNs: [] })).to.equal(undefined);
    expect(mergeOptions(undefined, { tls: { ports: ['443'] } })).to.deep.equal({});
  });

  it('takes * for all ports, also where the provider names some', () => {
    expect(tlsOf({ certificateARNs, ports: ['443'] }, { ports: ['*'] })).to.deep.equal({ certificateARNs });
    expect(tlsOf({ certificateARNs, ports: ['*'] }, undefined)).to.deep.equal({ certificateARNs });
  });
});
