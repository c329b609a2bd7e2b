import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { type ServiceModel, serviceModelSchema } from './model.ts';
import { writeFileWhole } from './write-file-whole.ts';

const recordSchema = z.object({ digest: z.string(), services: z.array(serviceModelSchema) });

/** What the worker was given last, in a file, so that a later life of the edge knows. */
export class LoadedServices {
  readonly #file: string;
  #byKey: ReadonlyMap<string, ServiceModel> = new Map();
  #text = '';

  constructor(file: string) {
    this.#file = file;
    try {
      this.#text = readFileSync(file, 'utf8');
      const { services } = recordSchema.parse(JSON.parse(this.#text));
      this.#byKey = byKey(services);
    } catch {
      // The first life, or a file of another version: what runs is looked at all the same, and made what it ought to be.
    }
  }

  get byKey(): ReadonlyMap<string, ServiceModel> {
    return this.#byKey;
  }

  set(digest: string, services: readonly ServiceModel[]): void {
    const text = JSON.stringify({ digest, services });
    if (text === this.#text) return;
    writeFileWhole(this.#file, text);
    this.#text = text;
    this.#byKey = byKey(services);
  }
}

function byKey(services: readonly ServiceModel[]): ReadonlyMap<string, ServiceModel> {
  return new Map(services.map((service) => [service.key, service]));
}
