import { object, objects, optionalText, type Plain } from '../plain.ts';

/** ARNs that the actions of a listener forward to, in either of the two forms. */
export function targetGroupsOf(actions: Plain | undefined): string[] {
  return objects(actions).flatMap((action) => {
    const single = optionalText(action.TargetGroupArn);
    const weighted = objects(object(action.ForwardConfig).TargetGroups).map((group) =>
      optionalText(group.TargetGroupArn),
    );
    return [...new Set([single, ...weighted])].filter((arn) => arn !== undefined);
  });
}
