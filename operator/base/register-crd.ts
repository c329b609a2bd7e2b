import { readFile } from 'node:fs/promises';
import type { V1CustomResourceDefinitionVersion } from '@kubernetes/client-node';
import { parse } from 'yaml';
import type { KubeClient } from '../../kube/client.ts';
import { isClass } from '../../kube/errors.ts';

interface CustomResourceDefinition {
  apiVersion: string;
  metadata: { name: string };
  spec: { group: string; versions: V1CustomResourceDefinitionVersion[]; names: { plural: string } };
}

/** Creates the CustomResourceDefinition of a YAML file; one that is there already is left as it is. */
export async function registerCrd(
  client: KubeClient,
  file: string,
): Promise<{ crd: CustomResourceDefinition; created: boolean }> {
  const crd: unknown = parse(await readFile(file, 'utf8'));
  if (!isDefinition(crd)) throw new Error("Invalid CRD yaml (expected 'apiextensions.k8s.io')");
  try {
    await client.request('POST', `/apis/${crd.apiVersion}/customresourcedefinitions`, { body: crd });
    return { crd, created: true };
  } catch (error) {
    if (isClass(error, 'Conflict')) return { crd, created: false };
    throw error;
  }
}

function isDefinition(value: unknown): value is CustomResourceDefinition {
  if (typeof value !== 'object' || value === null) return false;
  const { apiVersion, spec } = value as {
    apiVersion?: unknown;
    spec?: Partial<CustomResourceDefinition['spec']>;
  };
  return (
    typeof apiVersion === 'string' &&
    apiVersion.startsWith('apiextensions.k8s.io/') &&
    typeof spec?.group === 'string' &&
    Array.isArray(spec.versions) &&
    typeof spec.names?.plural === 'string'
  );
}
