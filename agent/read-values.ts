import { ConfigError } from '../kube/configure.ts';
import { readCidrs } from '../kube/read-values.ts';
import { splitList } from '../kube/split-list.ts';
import type { ExternalIpRule } from './endpoints/decide-external-ip.ts';
import type { ServeMode } from './node-context.ts';

export function readServe(text: string): ServeMode {
  if (text === 'All' || text === 'Own') return text;
  throw new ConfigError(`--serve: must be All or Own, not ${JSON.stringify(text)}`);
}

/** `namespace=CIDR`, with commas between. */
export function readExternalIps(text: string): ExternalIpRule[] {
  return splitList(text).map((rule) => {
    const [, namespace = '', range = ''] = /^([^=]+)=(.*)$/.exec(rule) ?? [];
    if (namespace === '') {
      const example = 'team-a=203.0.113.0/24';
      throw new ConfigError(`--external-ips: ${JSON.stringify(rule)} is no rule, such as ${example}`);
    }
    const [cidr = ''] = readCidrs('external-ips', range);
    if (cidr === '') throw new ConfigError(`--external-ips: ${JSON.stringify(rule)} names no range`);
    return { namespace: namespace.trim(), cidr };
  });
}
