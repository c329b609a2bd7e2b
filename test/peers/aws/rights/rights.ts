import { AwsError } from '../aws-error.ts';
import type { AwsCall } from '../call-log.ts';
import { asksForResourceTags, evaluatePolicy, type Policy, RESOURCE_TAG } from './evaluate-policy.ts';
import { type NeededRight, neededRights } from './needed-rights.ts';

/** The tags of a thing by its ARN or id; undefined: there is no such thing. */
export type ReadTags = (thing: string) => Promise<Record<string, string> | undefined>;

/** Told what was allowed, by which statements. */
export type GrantHook = (action: string, sids: readonly string[]) => void;

/** What callers may do, by the policies that they have. */
export class Rights {
  readonly #usual: Policy;
  readonly #policies = new Map<string, Policy>();
  readonly #granted: GrantHook;
  /**
   * What isn't there has no tags, so that policies which ask for some don't allow it. AWS tells it as denied then where it looks at
   * rights first, and as missing where it doesn't: false.
   */
  deniesGone = false;

  /** `usual`: of all callers that have none of their own. */
  constructor(usual: Policy, granted: GrantHook = () => {}) {
    this.#usual = usual;
    this.#granted = granted;
  }

  /** Of the one with this access key, in the place of the usual one. */
  give(accessKey: string, policy: Policy): void {
    this.#policies.set(accessKey, policy);
  }

  /** Throws the AwsError that AWS answers with, when anything that the call needs isn't allowed. */
  async check(call: AwsCall, accessKey: string, readTags: ReadTags): Promise<void> {
    const own = this.#policies.get(accessKey);
    for (const right of neededRights(call)) {
      const sids = await evaluate(own ?? this.#usual, right, readTags);
      if (sids === undefined && !this.deniesGone) continue;
      if (sids === undefined || sids.length === 0) throw refusal(call, right, accessKey);
      if (own === undefined) this.#granted(right.action, sids);
    }
  }
}

async function evaluate(
  policy: Policy,
  { action, context, resource, tagged }: NeededRight,
  readTags: ReadTags,
): Promise<string[] | undefined> {
  if (tagged === undefined || !asksForResourceTags(policy, action))
    return evaluatePolicy(policy, { action, resource, context });
  const tags = await readTags(tagged);
  if (tags === undefined) return undefined;
  const ofResource = Object.entries(tags).map(([key, value]) => [`${RESOURCE_TAG}${key}`, value]);
  return evaluatePolicy(policy, {
    action,
    resource,
    context: { ...context, ...Object.fromEntries(ofResource) },
  });
}

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html */
function refusal({ service }: AwsCall, { action, resource }: NeededRight, accessKey: string): AwsError {
  const who = `User: arn:aws:iam::123456789012:user/${accessKey}`;
  const message = `${who} is not authorized to perform: ${action} on resource: ${resource} because no identity-based policy allows the ${action} action`;
  if (service !== 'ec2') return new AwsError('AccessDenied', message, 403);
  return new AwsError(
    'UnauthorizedOperation',
    `You are not authorized to perform this operation. ${message}`,
    403,
  );
}
