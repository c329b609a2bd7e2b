import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments } from 'yaml';
import type { KubeClient } from '../../kube/client.ts';
import { isClass } from '../../kube/errors.ts';
import type { Condition, KubeObject } from '../../kube/objects.ts';
import { resource } from '../../kube/resources.ts';

interface CustomResourceDefinition extends KubeObject {
  spec: { group: string; names: { plural: string }; versions: { name: string; served: boolean }[] };
  status?: { conditions?: Condition[] };
}

const CRDS = resource<CustomResourceDefinition>(
  'apiextensions.k8s.io',
  'v1',
  'customresourcedefinitions',
  'CustomResourceDefinition',
  false,
);
const CRD_FOLDER = fileURLToPath(new URL('../../config/crd/', import.meta.url));
const ESTABLISHED_MS = 30_000;

/** Applies every CustomResourceDefinition of config/crd; resolves once the API serves them all. */
export async function installCrds(client: KubeClient, folder: string = CRD_FOLDER): Promise<void> {
  const crds = await readCrds(folder);
  if (crds.length === 0) throw new Error(`no CustomResourceDefinition in ${folder}`);
  for (const crd of crds) {
    await client.patch(CRDS, undefined, crd.metadata.name, crd, {
      contentType: 'apply',
      fieldManager: 'fairlead-lab',
      force: true,
    });
  }
  for (const crd of crds) {
    await untilEstablished(client, crd.metadata.name);
    await untilServed(client, crd);
  }
}

async function readCrds(folder: string): Promise<CustomResourceDefinition[]> {
  const names = await readdir(folder, { recursive: true });
  const texts = await Promise.all(
    names.filter((name) => name.endsWith('.yaml')).map((name) => readFile(`${folder}/${name}`, 'utf8')),
  );
  return texts
    .flatMap((text) => parseAllDocuments(text).map((document): unknown => document.toJS()))
    .filter(isCrd);
}

function isCrd(value: unknown): value is CustomResourceDefinition {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === CRDS.kind;
}

async function untilEstablished(client: KubeClient, name: string): Promise<void> {
  const deadline = performance.now() + ESTABLISHED_MS;
  for (;;) {
    const crd = await client.get(CRDS, undefined, name);
    const conditions = crd.status?.conditions ?? [];
    if (conditions.some((condition) => condition.type === 'Established' && condition.status === 'True'))
      return;
    if (performance.now() > deadline) {
      throw new Error(`${name} is not established: ${JSON.stringify(conditions)}`);
    }
    await sleep(50);
  }
}

/** The API server answers 404 for a moment after it called a kind established: its handlers read from a cache. */
async function untilServed(client: KubeClient, { metadata, spec }: CustomResourceDefinition): Promise<void> {
  const deadline = performance.now() + ESTABLISHED_MS;
  for (const { name } of spec.versions.filter(({ served }) => served)) {
    const path = `/apis/${spec.group}/${name}/${spec.names.plural}?limit=1`;
    while (!(await isServed(client, path))) {
      if (performance.now() > deadline) throw new Error(`${metadata.name} is established and not served`);
      await sleep(50);
    }
  }
}

async function isServed(client: KubeClient, path: string): Promise<boolean> {
  try {
    await client.request('GET', path);
    return true;
  } catch (error) {
    if (isClass(error, 'NotFound')) return false;
    throw error;
  }
}
