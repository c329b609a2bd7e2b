import { z } from 'zod';
import { buildSchema, type StructuralSchema } from './build-schema.ts';
import type { PrinterColumn } from './columns.ts';
import type { KindDefinition } from './kinds.ts';

/** A CustomResourceDefinition, as `kubectl apply` takes it. */
export interface CustomResourceDefinition {
  apiVersion: 'apiextensions.k8s.io/v1';
  kind: 'CustomResourceDefinition';
  metadata: { name: string; labels: Record<string, string> };
  spec: object;
}

/** The CRD of a kind: names, columns, and the schema with the status subresource. */
export function buildCrd(kind: KindDefinition): CustomResourceDefinition {
  const { type } = kind;
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: {
      name: `${type.plural}.${type.group}`,
      labels: { 'app.kubernetes.io/name': 'fairlead', 'app.kubernetes.io/part-of': 'fairlead' },
    },
    spec: {
      group: type.group,
      names: {
        kind: type.kind,
        listKind: `${type.kind}List`,
        plural: type.plural,
        singular: type.kind.toLowerCase(),
        shortNames: [kind.shortName],
        categories: ['fairlead'],
      },
      scope: type.namespaced ? 'Namespaced' : 'Cluster',
      versions: [
        {
          name: type.version,
          served: true,
          storage: true,
          subresources: { status: {} },
          additionalPrinterColumns: kind.columns.map(buildColumn),
          schema: { openAPIV3Schema: buildObjectSchema(kind) },
        },
      ],
    },
  };
}

/** The schema of a whole object: spec, status, and the rules that look at both spec and metadata. */
export function buildObjectSchema(kind: KindDefinition): StructuralSchema {
  return {
    description: kind.description,
    type: 'object',
    required: ['spec'],
    ...(kind.rules.length === 0 ? {} : { 'x-kubernetes-validations': kind.rules }),
    properties: {
      apiVersion: buildSchema(z.string().describe('The version of the schema of this object.')),
      kind: buildSchema(z.string().describe('The kind of this object.')),
      metadata: { type: 'object' },
      spec: buildSchema(kind.spec),
      status: buildSchema(kind.status),
    },
  };
}

function buildColumn(column: PrinterColumn): object {
  const { wide, ...rest } = column;
  return wide ? { ...rest, priority: 1 } : rest;
}
