import type { Scheme } from '../../crds/common.ts';
import type { Service } from '../../kube/objects.ts';
import { splitList } from '../../kube/split-list.ts';
import { badValue } from '../../providers/explain-annotation.ts';
import type { Finding } from '../../providers/provider.ts';
import { parseAddress } from '../allocate/address-ranges.ts';
import { REASONS } from '../status/reasons.ts';

/** Of the providers that a Service asks for, those whose addresses its status shows. */
export type ShownProviders = 'First' | 'All';

const PREFIX = 'fairlead.dev/';

/** What a Service asks for by annotations; absent: nothing asked. */
export interface AnnotatedWishes {
  addresses?: string[];
  addressPools?: string[];
  sharedAddress?: string;
  scheme?: Scheme;
  /** In order; the first feeds the Service's status, unless all are to be shown. */
  providers?: string[];
  showProviders?: ShownProviders;
  portPool?: string;
  healthCheckPath?: string;
  paused: boolean;
}

export interface AnnotationReading {
  wishes: AnnotatedWishes;
  /** Values that can't be read. Nothing new is decided until they are mended: anything else would be a guess. */
  invalid: Finding[];
  /** Keys that nobody reads, most often misspelled; they hold nothing up. */
  unknown: Finding[];
}

/** Reads one value into `wishes`; answers what would have been right, or nothing when it is. */
type Reader = (wishes: AnnotatedWishes, value: string) => string | undefined;

const NAME = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const SUBDOMAIN = /^[a-z0-9]([-.a-z0-9]{0,251}[a-z0-9])?$/;
const SHARING_KEY = /^[A-Za-z0-9]([-._A-Za-z0-9]{0,61}[A-Za-z0-9])?$/;

const READERS: Readonly<Record<string, Reader>> = {
  address(wishes, value) {
    wishes.addresses = splitList(value);
    const good =
      wishes.addresses.length > 0 && wishes.addresses.every((one) => parseAddress(one) !== undefined);
    return good ? undefined : 'one IP address, or two of different families with a comma between';
  },
  'address-pool'(wishes, value) {
    wishes.addressPools = splitList(value);
    const good = wishes.addressPools.length > 0 && wishes.addressPools.every((name) => SUBDOMAIN.test(name));
    return good ? undefined : 'the name of an AddressPool, or several with commas between';
  },
  'shared-address'(wishes, value) {
    wishes.sharedAddress = value;
    return SHARING_KEY.test(value) ? undefined : 'a key of 1 to 63 letters, digits, "-", "_" and "."';
  },
  scheme(wishes, value) {
    if (value === 'Public' || value === 'Internal') wishes.scheme = value;
    return wishes.scheme === undefined ? 'Public or Internal' : undefined;
  },
  providers(wishes, value) {
    wishes.providers = [...new Set(splitList(value))];
    const good = wishes.providers.length > 0 && wishes.providers.every((name) => NAME.test(name));
    return good ? undefined : 'the name of a LoadBalancerProvider, or several with commas between';
  },
  'show-providers'(wishes, value) {
    if (value === 'First' || value === 'All') wishes.showProviders = value;
    return wishes.showProviders === undefined ? 'First or All' : undefined;
  },
  'port-pool'(wishes, value) {
    wishes.portPool = value;
    return SUBDOMAIN.test(value) ? undefined : 'the name of a PortPool';
  },
  'health-check-path'(wishes, value) {
    wishes.healthCheckPath = value;
    return /^\/[!-~]{0,1023}$/.test(value) ? undefined : 'a path that begins with "/" and has no blanks';
  },
  // These four are the provider's to read.
  adopt: (_, value) =>
    value === '' ? 'what the provider calls a load balancer of its own: an ARN' : undefined,
  'adopt-confirmed': () => undefined,
  'tls-secret': () => undefined,
  'tls-ports': () => undefined,
  paused(wishes, value) {
    wishes.paused = value === 'true';
    return value === 'true' || value === 'false' ? undefined : '"true" or "false"';
  },
};

/** Reads all `fairlead.dev/*` annotations of a Service. Blanks around values are ignored. */
export function readAnnotations(service: Pick<Service, 'metadata'>): AnnotationReading {
  const reading: AnnotationReading = { wishes: { paused: false }, invalid: [], unknown: [] };
  const annotations = Object.entries(service.metadata.annotations ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  for (const [key, value] of annotations) {
    if (!key.startsWith(PREFIX)) continue;
    const name = key.slice(PREFIX.length);
    const reader = Object.hasOwn(READERS, name) ? READERS[name] : undefined;
    if (reader === undefined) reading.unknown.push(unknownKey(key));
    else {
      const right = reader(reading.wishes, value.trim());
      if (right !== undefined) reading.invalid.push(badValue(key, value, right));
    }
  }
  return reading;
}

function unknownKey(key: string): Finding {
  const known = Object.keys(READERS).join(', ');
  return {
    reason: REASONS.unknownAnnotation,
    message: `The annotation ${key} means nothing to Fairlead: remove it, or correct it to one of ${PREFIX}{${known}}.`,
  };
}
