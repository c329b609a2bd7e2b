import { KubeConfig, type RequestContext } from '@kubernetes/client-node';

type Dispatcher = NonNullable<ReturnType<RequestContext['getDispatcher']>>;

/**
 * A KubeConfig whose API clients keep their connections. That of client-node 2.0.1 makes a pool of its own for each
 * request: 61 requests, 61 TLS connections, and none is ever closed.
 */
export class PooledKubeConfig extends KubeConfig {
  #dispatcher: Dispatcher | undefined;

  /** A copy of another, which may have been loaded from anywhere. */
  static of(other: KubeConfig): PooledKubeConfig {
    const { clusters, users, contexts, currentContext } = other;
    const config = new PooledKubeConfig();
    config.loadFromOptions({ clusters, users, contexts, currentContext });
    return config;
  }

  override async applySecurityAuthentication(context: RequestContext): Promise<void> {
    await super.applySecurityAuthentication(context);
    this.#dispatcher ??= context.getDispatcher();
    if (this.#dispatcher !== undefined) context.setDispatcher(this.#dispatcher);
  }
}
