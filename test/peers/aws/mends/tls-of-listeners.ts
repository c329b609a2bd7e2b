import { AwsError } from '../aws-error.ts';
import type { Mend, MendContext } from '../mend.ts';
import { objects, optionalText, type PlainObject, text, texts } from '../plain.ts';

/** https://docs.aws.amazon.com/elasticloadbalancing/latest/network/describe-ssl-policies.html */
const DEFAULT_POLICY = 'ELBSecurityPolicy-2016-08';
const ALPN_POLICIES = ['HTTP1Only', 'HTTP2Only', 'HTTP2Optional', 'HTTP2Preferred', 'None'];

/**
 * moto's ModifyListener knows no protocols but HTTP, HTTPS and TCP, takes certificates for HTTPS alone and no ALPN policy;
 * its CreateListener makes a TLS listener without a certificate, and gives plain ones a policy for TLS.
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_ModifyListener.html
 */
export const tlsOfListeners: Mend = {
  service: 'elasticloadbalancing',
  before: {
    CreateListener(parameters) {
      checkTls(text(parameters.Protocol), objects(parameters.Certificates).length, parameters);
      return undefined;
    },
    async ModifyListener(parameters, { view, moto }) {
      const listener = view.listeners.get(text(parameters.ListenerArn));
      if (listener === undefined) return undefined;
      const protocol = optionalText(parameters.Protocol) ?? listener.protocol;
      const given = objects(parameters.Certificates);
      const certificate = optionalText(given[0]?.CertificateArn) ?? listener.certificate;
      checkTls(protocol, given.length || (certificate === undefined ? 0 : 1), parameters);
      const { Port, SslPolicy, DefaultActions, ListenerArn } = parameters;
      const understood = { ListenerArn, Port, SslPolicy, DefaultActions };
      const result = await moto.elb('ModifyListener', understood);
      listener.protocol = protocol;
      listener.certificate = protocol === 'TLS' ? certificate : undefined;
      if (parameters.AlpnPolicy !== undefined) listener.alpnPolicy = texts(parameters.AlpnPolicy);
      if (protocol !== 'TLS') listener.alpnPolicy = [];
      return result;
    },
  },
  after: {
    CreateListener: (_parameters, result, context) => describe(result, context),
    ModifyListener: (_parameters, result, context) => describe(result, context),
    DescribeListeners: (_parameters, result, context) => describe(result, context),
    DescribeListenerCertificates(parameters, result, { view }) {
      const certificate = view.listeners.get(text(parameters.ListenerArn))?.certificate;
      const added = objects(result.Certificates).filter((shown) => shown.IsDefault !== 'true');
      const first = certificate === undefined ? [] : [{ CertificateArn: certificate, IsDefault: 'true' }];
      result.Certificates = [...first, ...added];
    },
  },
};

function checkTls(protocol: string, certificates: number, parameters: PlainObject): void {
  if (protocol === 'TLS' && certificates !== 1) {
    throw new AwsError(
      certificates === 0 ? 'ValidationError' : 'TooManyCertificates',
      'A certificate must be specified for TLS listeners: exactly one',
    );
  }
  const alpn = texts(parameters.AlpnPolicy);
  const unknown = alpn.find((policy) => !ALPN_POLICIES.includes(policy));
  if (unknown !== undefined)
    throw new AwsError('ALPNPolicyNotSupported', `ALPN policy '${unknown}' is not supported`);
  if (alpn.length > 1) throw new AwsError('ValidationError', 'You can specify one ALPN policy');
  if (protocol === 'TLS' || protocol === 'HTTPS') return;
  for (const name of ['Certificates', 'SslPolicy', 'AlpnPolicy']) {
    const value = parameters[name];
    if (value === undefined || value === '' || (Array.isArray(value) && value.length === 0)) continue;
    throw new AwsError(
      'InvalidConfigurationRequest',
      `${name} cannot be specified for ${protocol} listeners`,
    );
  }
}

function describe(result: PlainObject, { view }: MendContext): void {
  for (const shown of objects(result.Listeners)) {
    const listener = view.listeners.get(text(shown.ListenerArn));
    if (listener === undefined || !view.loadBalancers.get(listener.loadBalancerArn)?.network) continue;
    const { protocol, certificate, alpnPolicy } = listener;
    shown.Protocol = protocol;
    shown.Certificates = certificate === undefined ? [] : [{ CertificateArn: certificate }];
    shown.AlpnPolicy = alpnPolicy;
    if (protocol === 'TLS') shown.SslPolicy = optionalText(shown.SslPolicy) ?? DEFAULT_POLICY;
    else shown.SslPolicy = undefined;
  }
}
