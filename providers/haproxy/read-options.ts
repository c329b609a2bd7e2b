import type { HaproxyOptions } from '../../crds/haproxy-provider.ts';
import { splitList } from '../../kube/split-list.ts';
import { badValue } from '../explain-annotation.ts';
import type { Finding, OptionsReading } from '../provider.ts';

const SECRET = 'fairlead.dev/tls-secret';
const PORTS = 'fairlead.dev/tls-ports';
/** Of ports: what nobody named, as AWS' controller has it. */
const ALL_PORTS = '*';
const SUBDOMAIN = /^[a-z0-9]([-.a-z0-9]{0,251}[a-z0-9])?$/;
const PORT = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const MOST_SECRETS = 16;
const MOST_PORTS = 50;

/** Which certificates a Service names, and at which of its ports TLS is ended. */
export function readOptions(annotations: Readonly<Record<string, string>>): OptionsReading {
  const reading: OptionsReading = { options: {}, invalid: [], ignored: [] };
  const secrets = annotations[SECRET]?.trim();
  const ports = annotations[PORTS]?.trim();
  if (secrets === undefined) {
    if (ports !== undefined)
      reading.ignored.push(explain(`No TLS is ended: ${SECRET} names no certificate.`));
    return reading;
  }
  const secretNames = [...new Set(splitList(secrets))];
  if (!areNames(secretNames, SUBDOMAIN, MOST_SECRETS)) {
    const right = "the name of a Secret in the Service's namespace, or several with commas between";
    reading.invalid.push(badValue(SECRET, secrets, right));
  }
  const names = ports === undefined ? [] : [...new Set(splitList(ports))];
  if (ports !== undefined && !names.includes(ALL_PORTS) && !areNames(names, PORT, MOST_PORTS)) {
    const right = 'names or numbers of ports of the Service with commas between, or *';
    reading.invalid.push(badValue(PORTS, ports, right));
  }
  if (reading.invalid.length > 0) return reading;
  const tls: HaproxyOptions['tls'] = {
    secretNames,
    ...(names.length === 0 || names.includes(ALL_PORTS) ? {} : { ports: names }),
  };
  return { ...reading, options: { haproxy: { tls } } };
}

/** What a Service says of TLS to a provider that doesn't read it: without a word, it would be thought to be encrypted. */
export function findIgnoredTls(annotations: Readonly<Record<string, string>>): Finding[] {
  if (annotations[SECRET] === undefined) return [];
  return [explain(`No TLS is ended here: ${SECRET} is read by providers of type haproxy alone.`)];
}

function areNames(names: readonly string[], pattern: RegExp, most: number): boolean {
  return names.length > 0 && names.length <= most && names.every((name) => pattern.test(name));
}

function explain(message: string): Finding {
  return { reason: 'IgnoredAnnotation', message };
}
