import type { AwsChange } from '../changes.ts';
import type { TargetGroupModel, TargetModel } from '../model.ts';
import type { ObservedTarget, ObservedTargetGroup } from '../observed.ts';
import { diffField } from './diff-fields.ts';

const NAMED = 5;

export interface TargetsDiff {
  register: AwsChange[];
  /** AWS lets what is deregistered keep its connections for the deregistration delay. */
  deregister: AwsChange[];
}

export function diffTargets(model: TargetGroupModel, found: ObservedTargetGroup | undefined): TargetsDiff {
  const there = (found?.targets ?? []).filter(({ health }) => health !== 'draining');
  const refused = found?.refused ?? [];
  const missing = model.targets.filter(
    (target) => ![...there, ...refused].some((each) => isSame(each, target)),
  );
  const leaving = there.filter((target) => !model.targets.some((each) => isSame(each, target)));
  const { name } = model;
  const resource = 'Target';
  return {
    register:
      missing.length === 0
        ? []
        : [
            {
              action: 'Create',
              resource,
              fields: diffField(`targets.${name}`, undefined, describe(missing)),
              summary: `Register ${describe(missing)} in target group ${name}`,
              call: 'RegisterTargets',
              name,
              targets: missing,
            },
          ],
    deregister:
      leaving.length === 0
        ? []
        : [
            {
              action: 'Delete',
              resource,
              fields: diffField(`targets.${name}`, describe(leaving), undefined),
              summary: `Deregister ${describe(leaving)} from target group ${name}`,
              call: 'DeregisterTargets',
              name,
              targets: leaving.map(({ id, port }) => ({ id, port })),
            },
          ],
  };
}

function isSame(a: Pick<ObservedTarget, 'id' | 'port'>, b: Pick<TargetModel, 'id' | 'port'>): boolean {
  return a.id === b.id && a.port === b.port;
}

function describe(targets: readonly { id: string; port: number }[]): string {
  const named = targets.slice(0, NAMED).map(({ id, port }) => `${id}:${port}`);
  const more = targets.length - named.length;
  return more === 0 ? named.join(', ') : `${named.join(', ')} and ${more} more`;
}
