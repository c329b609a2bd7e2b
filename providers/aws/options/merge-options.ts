import type { AwsConfig, AwsOptions } from '../../../crds/aws-provider.ts';

/** What a Service says goes before what its provider says, field by field, and key by key where there are keys. */
export function mergeOptions(config: AwsConfig | undefined, own: AwsOptions | undefined): AwsOptions {
  return settleTls(putTogether(config, own));
}

function putTogether(config: AwsConfig | undefined, own: AwsOptions | undefined): AwsOptions {
  if (config === undefined) return own ?? {};
  const {
    callRatePercent: _callRatePercent,
    clusterName: _clusterName,
    credentials: _credentials,
    endpoint: _endpoint,
    endpoints: _endpoints,
    region: _region,
    timeoutSeconds: _timeoutSeconds,
    vpcID: _vpcID,
    ...base
  } = config;
  if (own === undefined) return base;
  return {
    ...base,
    ...own,
    ...merged('attributes', base, own),
    ...merged('targetGroupAttributes', base, own),
    ...merged('listenerAttributes', base, own),
    ...merged('tags', base, own),
    ...merged('targetNodeLabels', base, own),
    ...merged('healthCheck', base, own),
    ...merged('tls', base, own),
  };
}

type Keyed =
  | 'attributes'
  | 'targetGroupAttributes'
  | 'listenerAttributes'
  | 'tags'
  | 'targetNodeLabels'
  | 'healthCheck'
  | 'tls';

function merged<K extends Keyed>(key: K, base: AwsOptions, own: AwsOptions): Pick<AwsOptions, K> | object {
  return base[key] === undefined || own[key] === undefined ? {} : { [key]: { ...base[key], ...own[key] } };
}

/** No TLS without a certificate, as AWS' controller has it; of ports, `*` is what nobody named. */
function settleTls(options: AwsOptions): AwsOptions {
  const { tls, ...others } = options;
  if (tls === undefined) return options;
  if (!namesCertificate(tls)) return others;
  const { ports, ...all } = tls;
  return ports?.includes(ALL_PORTS) ? { ...others, tls: all } : options;
}

/** Of `tls.ports`. */
export const ALL_PORTS = '*';

export function namesCertificate(tls: AwsOptions['tls']): boolean {
  return (tls?.certificateARNs ?? []).length > 0;
}
