import { randomUUID } from 'node:crypto';
import { ClassedError } from '../../kube/errors.ts';
import type { LoadBalancerId, Provider, ProviderScope, Subject } from '../provider.ts';
import { buildDesired } from './build-desired.ts';
import { type Desired, OPERATIONS } from './contract.ts';
import { diffWebhook, type WebhookChange } from './diff-webhook.ts';
import { NOTHING_THERE, type WebhookModel, type WebhookObserved } from './observed.ts';
import { isSameId } from './same-id.ts';
import { type Server, Servers, type ServersOptions } from './servers.ts';
import { tellStatus } from './tell-status.ts';
import { validateWebhook } from './validate-webhook.ts';

/** Of one look; a page has 10,000 load balancers at most. */
const MOST_PAGES = 1_000;

/**
 * A server of one's own, asked over HTTP (docs/adr/0016): it plans what it would do, and does it. What it said last is
 * remembered, so that nothing is asked while nothing changes.
 */
export function createWebhookProvider(
  options: ServersOptions,
): Provider<WebhookModel, WebhookObserved, WebhookChange> {
  const servers = new Servers(options);
  return {
    type: 'webhook',
    addressesFromPools: false,
    choosesPools: ({ webhook }) => webhook?.addresses === 'Pools',
    external: true,
    validate: validateWebhook,
    readiness: ({ webhook }) => (webhook === undefined ? undefined : servers.faultOf(webhook)),
    greet: async (provider, signal) => await servers.of(provider).greet(signal, true),
    build: ({ provider, spec, ...targets }) => ({
      url: provider.spec.webhook?.url ?? '',
      parameters: provider.spec.webhook?.parameters ?? {},
      desired: buildDesired(targets, spec),
    }),
    observe: async (subject, _applied, signal) =>
      await observe(servers.of(subject.provider), subject, signal),
    diff: diffWebhook,
    apply: async (change, subject, signal) =>
      await apply(servers.of(subject.provider), change, subject, signal),
    status: (_model, observed) => tellStatus(observed),
    refresh: async (provider, clusterId, signal, seen) =>
      await refresh(servers.of(provider), provider, clusterId, signal, seen),
  };
}

async function observe(server: Server, subject: Subject, signal: AbortSignal): Promise<WebhookObserved> {
  const { asker, remembered } = server;
  const { id } = subject;
  const desired = subject.spec === undefined ? undefined : buildDesired(subject, subject.spec);
  const wanted = desired && wantedText(desired);
  const known = remembered.take(id, wanted);
  if (known !== undefined) return known;
  if (desired === undefined) {
    server.patience.forget(id);
    return await look(server, id, signal);
  }
  await server.greet(signal);
  const { changes, state } = await patiently(server, id, desired, () =>
    server.call(OPERATIONS.plan, { ...asker, id, desired }, signal),
  );
  const observed = { changes, state, exists: true };
  remembered.note(id, wanted, observed);
  return remembered.take(id, wanted) ?? observed;
}

/** Whether there is anything of it: what is to go needs no plan. */
async function look(server: Server, id: LoadBalancerId, signal: AbortSignal): Promise<WebhookObserved> {
  const { clusterId } = id;
  const { loadBalancers } = await server.call(OPERATIONS.observe, { ...server.asker, clusterId, id }, signal);
  const found = loadBalancers.find((each) => isSameId(each.id, id));
  return found === undefined ? NOTHING_THERE : { changes: [], exists: true, state: found.state };
}

/** Asks for what is wanted, unless the server said to wait with just that. */
async function patiently<Answer>(
  { patience }: Server,
  id: LoadBalancerId,
  desired: Desired,
  ask: () => Promise<Answer>,
): Promise<Answer> {
  const wanted = wantedText(desired);
  patience.check(id, wanted);
  try {
    return await ask();
  } catch (error) {
    patience.note(id, wanted, error);
    throw error;
  }
}

async function apply(
  server: Server,
  change: WebhookChange,
  { id }: Subject,
  signal: AbortSignal,
): Promise<void> {
  const { asker, call, remembered } = server;
  remembered.forget(id);
  const operationId = randomUUID();
  if (change.desired === undefined) {
    const { gone } = await call(OPERATIONS.delete, { ...asker, id, operationId }, signal);
    if (gone) remembered.note(id, undefined, NOTHING_THERE);
    return;
  }
  const { desired } = change;
  const { state } = await patiently(server, id, desired, () =>
    call(OPERATIONS.apply, { ...asker, id, operationId, desired }, signal),
  );
  remembered.note(id, wantedText(desired), { changes: [], exists: true, state });
}

/** Page by page. Another cluster's, and another provider's, are none of ours, whatever the server says. */
async function refresh(
  { asker, call, remembered }: Server,
  provider: ProviderScope,
  clusterId: string,
  signal: AbortSignal,
  seen: (ids: readonly LoadBalancerId[]) => void = () => {},
): Promise<LoadBalancerId[]> {
  const owners: LoadBalancerId[] = [];
  let page: string | undefined;
  let pages = 0;
  do {
    if (++pages > MOST_PAGES) throw tooManyPages(provider.name);
    const at = page === undefined ? {} : { continue: page };
    const answer = await call(OPERATIONS.observe, { ...asker, clusterId, ...at }, signal);
    const own = answer.loadBalancers
      .map(({ id }) => id)
      .filter((id) => id.clusterId === clusterId && id.name.endsWith(`.${provider.name}`));
    for (const id of own) remembered.forget(id);
    owners.push(...own);
    seen(own);
    page = answer.continue === page ? undefined : answer.continue;
  } while (page !== undefined);
  remembered.forgetOthers(provider.name, owners);
  return owners;
}

function tooManyPages(provider: string): ClassedError {
  const message = `The server of provider "${provider}" goes on after ${MOST_PAGES} pages of observe: its "continue" never ends.`;
  return new ClassedError(message, { class: 'Transient', reason: 'BadAnswer' });
}

function wantedText(desired: Desired): string {
  return JSON.stringify(desired);
}
