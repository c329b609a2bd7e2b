import { expect } from 'chai';
import { buildPodStatus, type ContainerObservation, sameStatus } from '../../lab/kubelet/build-pod-status.ts';
import type { Pod } from '../../lab/kubelet/pod.ts';
import { labNode } from '../../lab/network/addresses.ts';

const BEFORE = '2026-01-01T00:00:00Z';
const NOW = '2026-01-01T00:01:00Z';
const node = labNode(2);

function pod(status: Pod['status'] = {}): Pod {
  return { metadata: { name: 'web' }, spec: { containers: [{ name: 'web', image: 'x' }] }, status };
}

function statusOf(from: Pod, container?: ContainerObservation) {
  const containers = new Map(container ? [['web', container]] : []);
  return buildPodStatus(
    from,
    node,
    { addresses: ['10.244.2.2', 'fd00:244:0:2::2'], startTime: BEFORE, containers },
    NOW,
  );
}

const running = (ready: boolean): ContainerObservation => ({
  ready,
  restartCount: 0,
  state: { running: { startedAt: BEFORE } },
});

function conditionsOf(status: ReturnType<typeof statusOf>): Record<string, string> {
  return Object.fromEntries((status.conditions ?? []).map((condition) => [condition.type, condition.status]));
}

describe("A pod's status in the lab", () => {
  it('is Pending until its container runs, and ready when that is', () => {
    expect(statusOf(pod()).phase).to.equal('Pending');
    expect(conditionsOf(statusOf(pod(), running(false)))).to.include({
      Ready: 'False',
      ContainersReady: 'False',
    });
    expect(statusOf(pod(), running(true))).to.include({
      phase: 'Running',
      podIP: '10.244.2.2',
      hostIP: '10.89.0.12',
    });
    expect(conditionsOf(statusOf(pod(), running(true)))).to.include({
      Ready: 'True',
      ContainersReady: 'True',
    });
  });

  it('keeps conditions of others, and the time of those that did not change', () => {
    const first = statusOf(
      pod({ conditions: [{ type: 'PodScheduled', status: 'True', lastTransitionTime: BEFORE }] }),
    );
    const ready = (first.conditions ?? []).map((condition) => ({ ...condition, lastTransitionTime: BEFORE }));
    const { conditions = [] } = statusOf(pod({ conditions: ready }), running(true));
    const timeOf = (type: string) =>
      conditions.find((condition) => condition.type === type)?.lastTransitionTime;
    expect(timeOf('PodScheduled')).to.equal(BEFORE);
    expect(timeOf('Initialized')).to.equal(BEFORE);
    expect(timeOf('Ready')).to.equal(NOW);
  });

  it('ends by the exit status of its container', () => {
    const ended = (exitCode: number) => ({
      ready: false,
      restartCount: 0,
      state: { terminated: { exitCode, reason: '' } },
    });
    expect(statusOf(pod(), ended(0)).phase).to.equal('Succeeded');
    expect(statusOf(pod(), ended(1)).phase).to.equal('Failed');
  });

  it('is written again when another one changed it', () => {
    const status = statusOf(pod(), running(true));
    expect(sameStatus(status, statusOf(pod(status), running(true)))).to.equal(true);
    const spoiled = status.conditions?.map((condition) => ({ ...condition, status: 'False' as const })) ?? [];
    expect(sameStatus({ ...status, conditions: spoiled }, status)).to.equal(false);
  });
});
