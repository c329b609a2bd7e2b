import type { ListenerModel } from '../model.ts';
import type { BuildInput } from './build-input.ts';
import { buildMemberTags } from './build-tags.ts';
import type { ListenerChoice } from './choose-listeners.ts';

/** What AWS gives a TLS listener of which nothing is said. */
const DEFAULT_TLS_POLICY = 'ELBSecurityPolicy-2016-08';

export function buildListeners(input: BuildInput, choices: readonly ListenerChoice[]): ListenerModel[] {
  const { listenerAttributes = {}, tls } = input.own.options;
  return choices.map(({ key, port, protocol }) => {
    const isTls = protocol === 'TLS';
    return {
      key,
      port,
      protocol,
      certificates: isTls ? (tls?.certificateARNs ?? []) : [],
      sslPolicy: isTls ? (tls?.policy ?? DEFAULT_TLS_POLICY) : undefined,
      alpnPolicy: isTls ? (tls?.alpnPolicy ?? 'None') : undefined,
      attributes: protocol === 'TCP' ? listenerAttributes : {},
      targetGroup: key,
      tags: buildMemberTags(input, input.own, key),
    };
  });
}
