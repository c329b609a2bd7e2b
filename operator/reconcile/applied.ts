import type { LoadBalancer } from '../../crds/load-balancer.ts';
import { keyOf } from '../../kube/resources.ts';

/**
 * Which model of each LoadBalancer was carried out wholly, by digest. Its status says so too, later, and to the process
 * after this one.
 */
export class Applied {
  /** By key; undefined: something was begun since. */
  readonly #digests = new Map<string, { uid: string | undefined; digest: string | undefined }>();

  get(loadBalancer: LoadBalancer): string | undefined {
    const noted = this.#digests.get(keyOf(loadBalancer));
    if (noted === undefined || noted.uid !== loadBalancer.metadata.uid) return loadBalancer.status?.applied;
    return noted.digest;
  }

  note(loadBalancer: LoadBalancer, digest: string): void {
    this.#digests.set(keyOf(loadBalancer), { uid: loadBalancer.metadata.uid, digest });
  }

  /** Something is about to be changed. */
  forget(loadBalancer: LoadBalancer): void {
    this.#digests.set(keyOf(loadBalancer), { uid: loadBalancer.metadata.uid, digest: undefined });
  }

  drop(key: string): void {
    this.#digests.delete(key);
  }
}
