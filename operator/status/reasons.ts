/**
 * Every reason that the operator gives, in one place: the same word is the condition's reason, the log's field and the
 * metric's label. What address and port pools answer (`AddressPoolExhausted`, `PortPoolExhausted`, ...) is said by
 * operator/allocate, and what a provider finds wrong by the provider, as a value of an annotation (`InvalidAnnotation`,
 * providers/explain-annotation.ts) is said by all; they are passed on as they are.
 */
export const REASONS = {
  /** All is well. */
  ready: 'Ready',
  accepted: 'Accepted',
  claimed: 'Claimed',
  programmed: 'Programmed',
  inSync: 'InSync',
  healthy: 'Healthy',
  repaired: 'Repaired',

  /** Not served, by intention. */
  paused: 'Paused',
  deleting: 'Deleting',
  notNeeded: 'NotNeeded',

  /** Which provider. */
  providerNotFound: 'ProviderNotFound',
  providerNotAccepted: 'ProviderNotAccepted',
  ambiguousDefault: 'AmbiguousDefaultProvider',
  namespaceNotAllowed: 'NamespaceNotAllowed',
  quotaExceeded: 'QuotaExceeded',
  nameTooLong: 'NameTooLong',
  nameTaken: 'NameTaken',

  /** What the Service says. */
  unknownAnnotation: 'UnknownAnnotation',
  noPorts: 'NoPorts',
  tooManyPorts: 'TooManyPorts',

  /** What is under way. */
  movingAddress: 'MovingAddress',
  retiring: 'Retiring',
  addressClaimedTwice: 'AddressClaimedTwice',

  /** Who carries it out. */
  noLiveAgent: 'NoLiveAgent',
  agentSilent: 'AgentSilent',
  notObserved: 'NotObserved',
  syncFailed: 'SyncFailed',
  drifted: 'ChangedOutside',
  orphaned: 'Orphaned',
} as const;

/** The names that people grep for, from Kubernetes' own service controller. */
export const EVENTS = {
  ensuring: 'EnsuringLoadBalancer',
  ensured: 'EnsuredLoadBalancer',
  failed: 'SyncLoadBalancerFailed',
  updated: 'UpdatedLoadBalancer',
  deleting: 'DeletingLoadBalancer',
  deleted: 'DeletedLoadBalancer',
  /** Ours: the Service goes, what it had at the provider stays (spec.deletion). */
  retained: 'RetainedLoadBalancer',
} as const;
