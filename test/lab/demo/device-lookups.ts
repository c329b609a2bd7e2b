import { stringify } from 'yaml';
import type { DeviceMember, DeviceState } from '../device.ts';
import type { DemoLab } from './demo-lab.ts';
import { formatMs } from './terminal.ts';

const WAIT_MS = 90_000;

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

export async function lookAt(lab: DemoLab): Promise<DeviceState> {
  return await lab.control.call('deviceState', {});
}

/** Of the Service `web`, of one family. */
export async function membersOf(lab: DemoLab, family: 'ipv4' | 'ipv6'): Promise<DeviceMember[]> {
  const { members } = await lookAt(lab);
  return members.filter(({ pool }) => pool.includes('/fl_default_web_') && pool.endsWith(`_${family}`));
}

export async function findWebMember(lab: DemoLab): Promise<{ target: DeviceMember; name: string }> {
  const [target] = await membersOf(lab, 'ipv4');
  if (target === undefined) throw new Error('the pool of web has no members');
  return { target, name: target.member.slice(target.member.lastIndexOf('/') + 1) };
}

export async function addressOf(lab: DemoLab, service: string): Promise<string> {
  return await lab.ask('get', 'service', service, '-o', 'jsonpath={.status.loadBalancer.ingress[0].ip}');
}

/** Reason and message of the Service that is refused. */
export async function reasonOf(lab: DemoLab): Promise<string> {
  const condition = '.status.conditions[?(@.type=="fairlead.dev/LoadBalancerReady")]';
  return await lab.ask(
    'get',
    'service',
    'taken',
    '-o',
    `jsonpath={${condition}.reason}: {${condition}.message}`,
  );
}

interface PodList {
  items: { spec: { nodeName: string }; status: { podIP: string } }[];
}

export async function choosePod(lab: DemoLab): Promise<{ node: string; address: string }> {
  const { items }: PodList = JSON.parse(await lab.ask('get', 'pods', '-l', 'app=web', '-o', 'json'));
  const pod = items.find(({ spec }) => spec.nodeName === 'node-3') ?? items[0];
  if (pod === undefined) throw new Error('there is no pod with the label app=web');
  return { node: pod.spec.nodeName, address: pod.status.podIP };
}

export function manifestOf(name: string, address?: string): string {
  const annotations = address === undefined ? {} : { annotations: { 'fairlead.dev/address': address } };
  return stringify({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace: 'default', ...annotations },
    spec: {
      type: 'LoadBalancer',
      selector: { app: 'web' },
      ports: [{ name: 'http', port: 80, targetPort: 'http' }],
    },
  });
}

/** Answers how long it took, in ms. */
export async function until(lab: DemoLab, what: string, check: () => Promise<boolean>): Promise<number> {
  const startedAt = performance.now();
  while (!(await check())) {
    const tookMs = performance.now() - startedAt;
    if (tookMs > WAIT_MS) {
      const { stdout } = await lab.kubectl(['get', 'services,loadbalancers', '-o', 'yaml']);
      throw new Error(`waited ${formatMs(tookMs)} for ${what}\n${stdout}`);
    }
    await sleep(100);
  }
  return performance.now() - startedAt;
}
