import type { ConditionInput } from '../../kube/conditions.ts';
import { truncateMessage } from '../../kube/conditions.ts';
import type { Change, Finding, ProviderStatus } from '../../providers/provider.ts';
import { SERVICE_CONDITION } from '../plan/names.ts';
import { describeChanges } from './describe-changes.ts';
import { REASONS } from './reasons.ts';

/** How far one load balancer got. `undefined` findings: that step is done. */
export interface Outcome {
  /** The LoadBalancerProvider's name. */
  provider: string;
  /** Why the provider may not be used, or what of the Service can't be carried out. */
  refused?: Finding | undefined;
  ports: { needed: boolean; finding?: Finding | undefined };
  /** `own`: the provider brings them, and nothing is claimed. */
  addresses: { texts: string[]; finding?: Finding | undefined; own?: boolean | undefined };
  /** undefined: it didn't come so far. */
  programmed?: { finding?: Finding | undefined } | undefined;
  /** What the provider says of the load balancer; undefined: it wasn't asked. */
  outside?:
    | {
        status: ProviderStatus;
        /** Whether the provider is asked now and then what it has. */
        compared: boolean;
        drift?: { changes: Change[]; repaired: boolean } | undefined;
      }
    | undefined;
  /** What is worth saying and holds nothing up. */
  notes: Finding[];
}

/** The conditions of a LoadBalancer, each with the reason that the step before gave. */
export function buildConditions(outcome: Outcome, observedGeneration: number | undefined): ConditionInput[] {
  const { refused, ports, addresses, programmed, notes } = outcome;
  const at = observedGeneration === undefined ? {} : { observedGeneration };
  const said = notes.map(({ message }) => ` ${message}`).join('');
  const is = (type: string, finding: Finding | undefined, good: Finding): ConditionInput => ({
    type,
    status: finding === undefined ? 'True' : 'False',
    ...(finding ?? good),
    ...at,
  });
  const holding = whatHoldsUp(outcome);
  return [
    is('Accepted', refused, {
      reason: REASONS.accepted,
      message: `Served by provider "${outcome.provider}".`,
    }),
    is(
      'PortsClaimed',
      ports.finding,
      ports.needed
        ? { reason: REASONS.claimed, message: 'Every port has the numbers that it needs.' }
        : { reason: REASONS.notNeeded, message: 'No numbers from a PortPool are needed.' },
    ),
    is(
      'AddressClaimed',
      addresses.finding,
      addresses.own === true
        ? { reason: REASONS.notNeeded, message: `The provider has addresses of its own.${said}` }
        : { reason: REASONS.claimed, message: `${addresses.texts.join(', ')} claimed.${said}` },
    ),
    programmed === undefined
      ? { type: 'Programmed', status: 'Unknown', ...NOT_REACHED, ...at }
      : is('Programmed', programmed.finding, {
          reason: REASONS.programmed,
          message: 'Everything that was decided is carried out.',
        }),
    { ...tellTargets(outcome), ...at },
    { ...tellDrift(outcome), ...at },
    is('Ready', holding, { reason: REASONS.ready, message: `Serving at ${addresses.texts.join(', ')}.` }),
  ];
}

/** The first thing that holds a load balancer up; undefined when it serves. */
export function whatHoldsUp({ refused, ports, addresses, programmed }: Outcome): Finding | undefined {
  return (
    refused ??
    ports.finding ??
    addresses.finding ??
    (programmed === undefined ? NOT_REACHED : programmed.finding)
  );
}

/** The one condition of a Service over all its load balancers, and over what is worth saying besides. */
export function buildServiceCondition(
  outcomes: readonly Outcome[],
  findings: readonly Finding[],
  observedGeneration: number | undefined,
): ConditionInput {
  const several = outcomes.length > 1;
  const holding = outcomes.flatMap((outcome) => {
    const finding = whatHoldsUp(outcome);
    if (finding === undefined) return [];
    return [several ? { ...finding, message: `${outcome.provider}: ${finding.message}` } : finding];
  });
  const notes = [...outcomes.flatMap((outcome) => outcome.notes), ...findings].map(({ message }) => message);
  const serving = outcomes
    .filter((outcome) => whatHoldsUp(outcome) === undefined)
    .flatMap(({ addresses }) => addresses.texts)
    .join(', ');
  const [first] = holding;
  const messages = [
    ...holding.map(({ message }) => message),
    ...(first === undefined || serving !== '' ? [`Serving at ${serving}.`] : []),
    ...notes,
  ];
  return {
    type: SERVICE_CONDITION,
    status: first === undefined ? 'True' : 'False',
    reason: first?.reason ?? REASONS.ready,
    message: truncateMessage([...new Set(messages)].join(' '), 4096),
    ...(observedGeneration === undefined ? {} : { observedGeneration }),
  };
}

function tellTargets({ outside }: Outcome): ConditionInput {
  const type = 'TargetsHealthy';
  if (outside?.status.unhealthy !== undefined) return { type, status: 'False', ...outside.status.unhealthy };
  const { targets } = outside?.status ?? {};
  if (targets === undefined) return { type, status: 'Unknown', ...NO_HEALTH };
  const message = `${targets.healthy} of ${targets.desired} targets are healthy.`;
  return { type, status: 'True', reason: REASONS.healthy, message };
}

function tellDrift({ outside }: Outcome): ConditionInput {
  const type = 'Drifted';
  if (outside?.compared !== true) return { type, status: 'Unknown', ...NOT_COMPARED };
  if (outside.drift === undefined) return { type, status: 'False', ...IN_SYNC };
  const { changes, repaired } = outside.drift;
  const found = describeChanges(changes);
  return repaired
    ? {
        type,
        status: 'False',
        reason: REASONS.repaired,
        message: truncateMessage(`Put back: ${found}.`, 4096),
      }
    : {
        type,
        status: 'True',
        reason: REASONS.drifted,
        message: truncateMessage(`Changed by somebody else: ${found}.`, 4096),
      };
}

/** Said as such, since no condition at all reads as if all were well. */
const NO_HEALTH: Finding = {
  reason: REASONS.notObserved,
  message: 'The provider does not report the health of its targets.',
};

const NOT_COMPARED: Finding = {
  reason: REASONS.notObserved,
  message: 'What is at the provider is not compared with what was decided, once it is carried out.',
};

const IN_SYNC: Finding = {
  reason: REASONS.inSync,
  message: 'Nothing is known that differs from what was carried out.',
};

const NOT_REACHED: Finding = {
  reason: REASONS.notObserved,
  message: 'An earlier step is not done yet.',
};
