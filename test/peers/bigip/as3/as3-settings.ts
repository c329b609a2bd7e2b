import { isObject, object, type PlainObject } from '../plain.ts';
import { ok, type RestAnswer } from '../rest-answer.ts';

/** `3.56.0` as numbers. */
export function isAtLeast(version: string, minor: number): boolean {
  return Number(version.split('.')[1] ?? '0') >= minor;
}

/**
 * /mgmt/shared/appsvcs/settings. Per-application declarations are on by default from 3.50 on; before, from 3.46 on, they are
 * one of the beta options.
 */
export class As3Settings {
  readonly #version: string;
  readonly #defaults: PlainObject;
  #settings: PlainObject;

  constructor(version: string, perApp: boolean) {
    this.#version = version;
    this.#defaults = {
      asyncTaskStorage: 'data-group',
      ...(isAtLeast(version, 50)
        ? { perAppDeploymentAllowed: perApp }
        : isAtLeast(version, 46) && { betaOptions: { perAppDeploymentAllowed: false } }),
      burstHandlingEnabled: false,
      performanceTracingEnabled: false,
      performanceTracingEndpoint: '',
      serializeFileUploads: false,
      serviceDiscoveryEnabled: true,
      encodeDeclarationMetadata: false,
      webhook: '',
    };
    this.#settings = structuredClone(this.#defaults);
  }

  get knowsPerApp(): boolean {
    return isAtLeast(this.#version, 46);
  }

  get allowsPerApp(): boolean {
    const { perAppDeploymentAllowed, betaOptions } = this.#settings;
    return perAppDeploymentAllowed === true || object(betaOptions).perAppDeploymentAllowed === true;
  }

  get storesTasksInMemory(): boolean {
    return this.#settings.asyncTaskStorage === 'memory';
  }

  answer(method: string, body: unknown): RestAnswer {
    if (method === 'GET') return ok(this.#settings);
    if (method !== 'POST' || !isObject(body))
      return { status: 405, body: { code: 405, message: 'Only acceptable methods are Post and Get' } };
    const unknown = Object.keys(body).filter((name) => !(name in this.#defaults));
    if (unknown.length > 0) {
      const errors = [
        { message: 'should NOT have additional properties', params: { additionalProperty: unknown[0] } },
      ];
      return { status: 422, body: { code: 422, message: 'declaration is invalid', errors } };
    }
    // What isn't in the body goes back to its default.
    this.#settings = { ...structuredClone(this.#defaults), ...structuredClone(body) };
    return ok(this.#settings);
  }
}
