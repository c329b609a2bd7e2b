import type { LabNode } from '../network/addresses.ts';
import type { ContainerState, ContainerStatus, Pod, PodCondition, PodPhase, PodStatus } from './pod.ts';

/** What the kubelet knows of a running container. */
export interface ContainerObservation {
  ready: boolean;
  restartCount: number;
  state: ContainerState;
  lastState?: ContainerState;
}

export interface PodObservation {
  addresses: readonly string[];
  startTime: string;
  /** By the container's name; one that isn't there is yet to be created. */
  containers: ReadonlyMap<string, ContainerObservation>;
}

const OURS = ['PodReadyToStartContainers', 'Initialized', 'ContainersReady', 'Ready'];

/** The status to report, after the pod's present one: conditions of others stay, unchanged ones keep their time. */
export function buildPodStatus(pod: Pod, node: LabNode, seen: PodObservation, now: string): PodStatus {
  const containerStatuses = pod.spec.containers.map((container): ContainerStatus => {
    const observed = seen.containers.get(container.name);
    return {
      name: container.name,
      image: container.image ?? '',
      imageID: '',
      ready: observed?.ready ?? false,
      started: observed?.state.running !== undefined,
      restartCount: observed?.restartCount ?? 0,
      state: observed?.state ?? { waiting: { reason: 'ContainerCreating' } },
      ...(observed?.lastState && { lastState: observed.lastState }),
    };
  });
  const ready = containerStatuses.every((status) => status.ready);
  const phase = phaseOf(pod, containerStatuses);
  const finished = phase === 'Succeeded' || phase === 'Failed';
  const unreadyReason = finished ? 'PodCompleted' : 'ContainersNotReady';
  const wanted: [string, boolean, string][] = [
    ['PodReadyToStartContainers', seen.addresses.length > 0 && !finished, ''],
    ['Initialized', true, finished ? 'PodCompleted' : ''],
    ['ContainersReady', ready, ready ? '' : unreadyReason],
    ['Ready', ready, ready ? '' : unreadyReason],
  ];
  const present = pod.status?.conditions ?? [];
  const conditions = wanted.map(([type, holds, reason]): PodCondition => {
    const status = holds ? 'True' : 'False';
    const before = present.find((condition) => condition.type === type);
    const lastTransitionTime = before?.status === status ? before.lastTransitionTime : now;
    return { type, status, lastTransitionTime, ...(reason !== '' && { reason }) };
  });
  const [podIP] = seen.addresses;
  return {
    phase,
    hostIP: node.internal.v4,
    hostIPs: [{ ip: node.internal.v4 }, { ip: node.internal.v6 }],
    ...(podIP !== undefined && { podIP, podIPs: seen.addresses.map((ip) => ({ ip })) }),
    startTime: seen.startTime,
    conditions: [...present.filter((condition) => !OURS.includes(condition.type)), ...conditions],
    containerStatuses,
  };
}

function phaseOf(pod: Pod, statuses: ContainerStatus[]): PodPhase {
  const ends = statuses.flatMap((status) => status.state.terminated ?? []);
  if (ends.length === statuses.length) {
    return ends.every((end) => end.exitCode === 0) ? 'Succeeded' : 'Failed';
  }
  const began = statuses.some((status) => !status.state.waiting || status.restartCount > 0);
  return began || pod.status?.phase === 'Running' ? 'Running' : 'Pending';
}

/** Whether the API server has this status already. Only what the kubelet writes is compared. */
export function sameStatus(present: PodStatus | undefined, wanted: PodStatus): boolean {
  const plain = (status: PodStatus | undefined) =>
    JSON.stringify([
      status?.phase,
      status?.podIPs,
      status?.conditions?.map(({ type, status: value }) => `${type}=${value}`).sort(),
      status?.containerStatuses?.map(({ name, ready, started, restartCount, state }) => [
        name,
        ready,
        started,
        restartCount,
        Object.keys(state),
      ]),
    ]);
  return plain(present) === plain(wanted);
}
