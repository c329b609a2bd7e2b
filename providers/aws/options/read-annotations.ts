import type { AwsOptions } from '../../../crds/aws-provider.ts';
import type { LoadBalancerProviderSpec } from '../../../crds/load-balancer-provider.ts';
import { splitList } from '../../../kube/split-list.ts';
import { badValue, shownValue } from '../../explain-annotation.ts';
import type { Finding, OptionsReading } from '../../provider.ts';
import { canonicalCidr } from '../build/read-cidr.ts';
import { ANNOTATIONS, type Annotation } from './annotations.ts';
import { namesCertificate } from './merge-options.ts';
import type { Draft, Note } from './read-values.ts';

export const PREFIX = 'service.beta.kubernetes.io/aws-load-balancer-';
/** Of all clouds, from before there was `spec.loadBalancerSourceRanges`, which goes before it. */
const SOURCE_RANGES = 'service.beta.kubernetes.io/load-balancer-source-ranges';
const ADOPT = 'fairlead.dev/adopt';
const ADOPT_CONFIRMED = 'fairlead.dev/adopt-confirmed';

/**
 * What annotations of the AWS Load Balancer Controller mean here, so that a manifest works after its class is changed
 * (https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/service/annotations/), and which load balancer is
 * to be adopted.
 */
export function readAnnotations(
  annotations: Readonly<Record<string, string>>,
  { aws, targets }: Pick<LoadBalancerProviderSpec, 'aws' | 'targets'>,
): OptionsReading {
  const draft: Draft = { options: {} };
  const invalid: Finding[] = [];
  const ignored: Finding[] = [];
  for (const [key, raw] of Object.entries(annotations).sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (!key.startsWith(PREFIX)) continue;
    const value = raw.trim();
    const annotation = ANNOTATIONS.find(({ name }) => isNamed(key.slice(PREFIX.length), name));
    const right = annotation?.read?.(draft, value);
    if (annotation?.read === undefined) ignored.push(noEffect(key, annotation));
    else if (typeof right === 'string') invalid.push(badValue(key, value, right));
    else if (right !== undefined) ignored.push(otherMeaning(key, value, right));
  }
  readSourceRanges(annotations, draft, invalid);
  readAdoption(annotations, draft, invalid);
  const { options, scheme, sourceRanges } = draft;
  // Instances are reached either way.
  const targetsMode =
    draft.targetsMode === 'NodePort' && targets?.mode === 'ForwardingPort' ? undefined : draft.targetsMode;
  if (asksForTls(options.tls) && !namesCertificate(options.tls) && !namesCertificate(aws?.tls))
    ignored.push(noCertificate());
  return {
    options: Object.keys(options).length === 0 ? {} : { aws: options },
    ...(scheme === undefined ? {} : { scheme }),
    ...(sourceRanges === undefined ? {} : { sourceRanges }),
    ...(targetsMode === undefined ? {} : { targetsMode }),
    invalid,
    ignored,
  };
}

function isNamed(name: string, pattern: string): boolean {
  return pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
}

/** One that can't be read holds the Service up: without it, everybody would be let in. */
function readSourceRanges(
  annotations: Readonly<Record<string, string>>,
  draft: Draft,
  invalid: Finding[],
): void {
  const value = annotations[SOURCE_RANGES]?.trim();
  if (value === undefined || value === '') return;
  const ranges = splitList(value);
  if (ranges.length > 0 && ranges.every((range) => canonicalCidr(range) !== undefined)) {
    draft.sourceRanges = ranges;
  } else invalid.push(badValue(SOURCE_RANGES, value, 'CIDRs, with commas between'));
}

function readAdoption(
  annotations: Readonly<Record<string, string>>,
  { options }: Draft,
  invalid: Finding[],
): void {
  const arn = annotations[ADOPT]?.trim();
  const confirmed = annotations[ADOPT_CONFIRMED]?.trim();
  if (arn === undefined) return;
  if (!/^arn:[^:]+:elasticloadbalancing:[^:]+:\d*:loadbalancer\/\S+$/.test(arn)) {
    invalid.push(badValue(ADOPT, arn, 'the ARN of a Network Load Balancer'));
    return;
  }
  options.adopt = { arn, ...(confirmed === undefined || confirmed === '' ? {} : { confirmed }) };
}

/** TCP to targets is what they get in any case. */
function asksForTls(tls: AwsOptions['tls']): boolean {
  const { backendProtocol, ...others } = tls ?? {};
  return backendProtocol === 'TLS' || Object.keys(others).length > 0;
}

function noCertificate(): Finding {
  const message = `No TLS is ended: neither the annotation ${PREFIX}ssl-cert names a certificate, nor aws.tls of the provider.`;
  return { reason: 'IgnoredAnnotation', message };
}

function otherMeaning(key: string, value: string, { means }: Note): Finding {
  const message = `The annotation ${key} is ${shownValue(value)}, which means ${means}.`;
  return { reason: 'IgnoredAnnotation', message };
}

function noEffect(key: string, annotation: Annotation | undefined): Finding {
  const message =
    annotation === undefined
      ? `The annotation ${key} is not known here: remove it, or correct it.`
      : `The annotation ${key} has no effect here, it becomes ${annotation.becomes}.`;
  return { reason: 'IgnoredAnnotation', message };
}
