import type { EventRecorder } from '../kube/events.ts';
import type { KubeObject, Service } from '../kube/objects.ts';
import type { Store } from '../kube/store.ts';

/** What Services are told by Events: each once for each reason, by the node that it concerns, or by one for all. */
export class ServiceEvents {
  readonly #recorder: EventRecorder;
  readonly #services: Store<Service>;
  readonly #nodeName: string;

  constructor(recorder: EventRecorder, services: Store<Service>, nodeName: string) {
    this.#recorder = recorder;
    this.#services = services;
    this.#nodeName = nodeName;
  }

  /** nft or the kernel won't have it. */
  refused(key: string, error: Error): void {
    const note = `${this.#nodeName} can't forward it: ${error.message}`;
    this.#on(key, (service) => this.#recorder.emit(service, 'Warning', 'ForwardingRefused', note, 'Forward'));
  }

  /** Reason, action and beginning are kube-proxy's. */
  healthCheckFailed(key: string, port: number, error: Error): void {
    const what = `failed to start healthcheck "${key}" on port ${port}`;
    const note = `node ${this.#nodeName} ${what}: ${error.message}`;
    this.#on(key, (service) =>
      this.#recorder.emit(service, 'Warning', 'FailedToStartServiceHealthcheck', note, 'Listen'),
    );
  }

  /** Another Service has an address and port that this one claims. That is so on every node. */
  frontendClaimed(key: string, note: string): void {
    this.#on(key, (service) => this.#recorder.emitShared(service, 'Warning', 'FrontendClaimed', note));
  }

  /** It names an address in `spec.externalIPs` that no rule allows it. That is so on every node. */
  externalIpNotAllowed(key: string, note: string): void {
    this.#on(key, (service) => this.#recorder.emitShared(service, 'Warning', 'ExternalIPNotAllowed', note));
  }

  #on(key: string, tell: (service: KubeObject) => void): void {
    const service = this.#services.get(key);
    if (service !== undefined) tell({ ...service, apiVersion: 'v1', kind: 'Service' });
  }
}
