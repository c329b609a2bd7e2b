import { ClassedError } from '../../../../kube/errors.ts';
import type {
  Change,
  DesiredLoadBalancer,
  LoadBalancerId,
  Provider,
  ProviderStatus,
  Subject,
} from '../../../../providers/provider.ts';

interface OutsideChange extends Change {
  id: LoadBalancerId;
}

interface Model {
  id: LoadBalancerId;
  addresses: string[];
}

/** A provider that makes something outside the cluster: a set of names in this process that it keeps to itself. */
export class OutsideProvider
  implements Provider<Model, { id: LoadBalancerId; made: boolean }, OutsideChange>
{
  readonly type = 'announce';
  readonly addressesFromPools = true;
  readonly external = true;
  /** What is there, as `namespace/name`. */
  readonly made = new Set<string>();
  refuseDeletions = false;
  /** Deletions are taken, and don't end. */
  deletesForever = false;
  /** What is thrown in the place of making something. */
  failure: ClassedError | undefined;
  refused = 0;
  beforeApply: (id: LoadBalancerId) => Promise<void> = async () => {};

  validate() {
    return [];
  }

  build({ id, spec }: DesiredLoadBalancer): Model {
    return { id, addresses: (spec.addresses ?? []).map(({ address }) => address) };
  }

  async observe({ id }: Subject, _applied: Model | undefined) {
    return { id, made: this.made.has(textOf(id)) };
  }

  diff(model: Model | undefined, { id, made }: { id: LoadBalancerId; made: boolean }): OutsideChange[] {
    if (made === (model !== undefined)) return [];
    const action = model === undefined ? 'Delete' : 'Create';
    return [{ id, action, resource: 'Name', summary: `${action} ${textOf(id)}` }];
  }

  async apply({ id, action }: OutsideChange): Promise<void> {
    await this.beforeApply(id);
    if (action === 'Create' && this.failure !== undefined) throw this.failure;
    if (action === 'Delete' && this.deletesForever) return;
    if (action === 'Create') this.made.add(textOf(id));
    else if (this.refuseDeletions) {
      this.refused++;
      throw new ClassedError('not now', { class: 'Transient', reason: 'Busy' });
    } else this.made.delete(textOf(id));
  }

  status({ addresses }: Model): ProviderStatus {
    return { ingress: addresses.map((ip) => ({ ip })) };
  }
}

function textOf({ namespace, name }: LoadBalancerId): string {
  return `${namespace}/${name}`;
}
