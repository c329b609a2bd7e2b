import type { LoadBalancerId, Provider, ProviderStatus } from '../../../../providers/provider.ts';
import { OutsideProvider } from './outside-provider.ts';

/** An outside provider of which somebody else changes things, and that tells who has something there. */
export class WatchedProvider extends OutsideProvider {
  /** Names of which somebody changed the colour. */
  readonly repainted = new Set<string>();
  /** Names that can't be looked at. */
  readonly unreadable = new Set<string>();
  /** Left over there by nobody that is still known. */
  readonly leftOver = new Map<string, LoadBalancerId>();
  /** Pods that it finds healthy. */
  healthyPods: string[] = [];
  /** The models that were known to be applied when something was observed first. */
  readonly assumed: unknown[] = [];
  repaints = 0;
  /** What the models say besides, of which no object of the cluster tells that it changed. */
  fashion = 'plain';
  /** A look at all of them takes until then. */
  roundEnds: Promise<void> = Promise.resolve();

  override build(desired: Parameters<OutsideProvider['build']>[0]) {
    return { ...super.build(desired), fashion: this.fashion };
  }

  override async observe(...[subject, applied]: Parameters<OutsideProvider['observe']>) {
    this.assumed.push(applied);
    if (this.unreadable.has(nameOf(subject.id))) throw new Error('it can not be read');
    return await super.observe(subject, applied);
  }

  override diff(...args: Parameters<OutsideProvider['diff']>) {
    const [model, observed] = args;
    const changes = super.diff(...args);
    if (model === undefined || !this.repainted.has(nameOf(observed.id))) return changes;
    const summary = `Paint ${nameOf(observed.id)} blue`;
    const fields = [{ field: 'colour', expected: 'blue', actual: 'red' }];
    return [...changes, { id: observed.id, action: 'Update' as const, resource: 'Name', summary, fields }];
  }

  override async apply(...args: Parameters<OutsideProvider['apply']>): Promise<void> {
    const [change] = args;
    if (change.action === 'Update') {
      this.repaints++;
      this.repainted.delete(nameOf(change.id));
      return;
    }
    if (change.action === 'Delete') this.leftOver.delete(nameOf(change.id));
    await super.apply(...args);
  }

  override status(...args: Parameters<OutsideProvider['status']>): ProviderStatus {
    const { healthyPods } = this;
    return { ...super.status(...args), targets: { desired: 2, healthy: 1 }, healthyPods };
  }

  async refresh(
    ...[, clusterId, , seen]: Parameters<NonNullable<Provider['refresh']>>
  ): Promise<LoadBalancerId[]> {
    for (const each of this.made) {
      const at = each.indexOf('/');
      seen?.([{ clusterId, namespace: each.slice(0, at), name: each.slice(at + 1), serviceUid: '' }]);
    }
    await this.roundEnds;
    return [...this.leftOver.values()];
  }
}

function nameOf({ namespace, name }: LoadBalancerId): string {
  return `${namespace}/${name}`;
}
