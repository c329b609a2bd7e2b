import type { DesiredLoadBalancer } from '../../../../../providers/provider.ts';
import type { AwsPicture } from './aws-picture.ts';
import { converge } from './converge.ts';
import { type DesiredOptions, desiredWith, idOf, specWith } from './desired.ts';

/** Services of one `fairlead.dev/shared-address`, oldest first. */
export function sharing(...list: (DesiredOptions & { service: string })[]): DesiredLoadBalancer[] {
  const sharedWith = list.map(({ aws, service, spec }) => ({
    id: idOf(service),
    spec: {
      ...specWith({ ...spec, sharedAddress: 'front' }, service),
      ...(aws === undefined ? {} : { aws }),
    },
  }));
  return list.map((each) =>
    desiredWith({ ...each, spec: { ...each.spec, sharedAddress: 'front' }, sharedWith }),
  );
}

export const tcp = (port: number) => ({
  frontends: [{ protocol: 'TCP' as const, port, nodePort: 30_000 + port }],
});

/** Turns of all of them, until nobody has anything to do. */
export function convergeAll(aws: AwsPicture, list: readonly DesiredLoadBalancer[]): void {
  for (let round = 0; round < 6; round++) {
    const turns = list.map((each) => converge(aws, each).length);
    if (turns.every((count) => count === 0)) return;
  }
  throw new Error('they undo what the others do');
}
