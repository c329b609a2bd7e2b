import type { PortPool } from '../../crds/port-pool.ts';
import type { LabelSelector } from '../../kube/objects.ts';
import type { Finding } from '../../providers/provider.ts';
import type { PortKind } from './port-book.ts';
import {
  countPorts,
  formatPortRange,
  mergePortRanges,
  type PortRange,
  parsePortRange,
  staticBand,
  withinRange,
  withoutRange,
} from './port-ranges.ts';

/** A PortPool read once. */
export interface CompiledPortPool {
  name: string;
  /** What may be given out: sorted, without overlaps, without the static band and what lies on the wrong side. */
  ranges: Record<PortKind, PortRange[]>;
  total: Record<PortKind, number>;
  namespaceSelector: LabelSelector | undefined;
  priority: number;
  autoAssign: boolean;
  disabled: boolean;
  /** What was left out and why, for the pool's own condition. */
  findings: Finding[];
}

/** Reads the pools and puts them in the order in which they are tried: higher priority first, then by name. */
export function compilePortPools(pools: readonly PortPool[], nodePortRange: PortRange): CompiledPortPool[] {
  return pools
    .map((pool) => compilePortPool(pool, nodePortRange))
    .sort((a, b) => b.priority - a.priority || (a.name < b.name ? -1 : 1));
}

export function portKindName(kind: PortKind): string {
  return kind === 'nodePort' ? 'node port' : 'forwarding port';
}

function compilePortPool({ metadata, spec }: PortPool, nodePortRange: PortRange): CompiledPortPool {
  const findings: Finding[] = [];
  const read = (texts: readonly string[] | undefined): PortRange[] => {
    const parsed = (texts ?? []).map((text) => ({ text, range: parsePortRange(text) }));
    for (const { text, range } of parsed) {
      if (range === undefined) {
        findings.push({ reason: 'InvalidRange', message: `"${text}" is not a port or a range of ports.` });
      }
    }
    return mergePortRanges(parsed.flatMap(({ range }) => range ?? []));
  };

  const nodePorts = read(spec.nodePorts);
  const inRange = withinRange(nodePorts, nodePortRange);
  if (countPorts(inRange) < countPorts(nodePorts)) {
    findings.push({
      reason: 'PortsOutsideNodePortRange',
      message: `Some of nodePorts are outside the cluster's node port range ${formatPortRange(nodePortRange)} and aren't given out.`,
    });
  }
  const band = staticBand(nodePortRange);
  const usable = withoutRange(inRange, band);
  if (band !== undefined && countPorts(usable) < countPorts(inRange)) {
    findings.push({
      reason: 'PortsInStaticBand',
      message: `Some of nodePorts are in ${formatPortRange(band)}, which Kubernetes leaves to people to choose from (KEP-3668), and aren't given out.`,
    });
  }
  const forwardingPorts = read(spec.forwardingPorts);
  const outside = withoutRange(forwardingPorts, nodePortRange);
  if (countPorts(outside) < countPorts(forwardingPorts)) {
    findings.push({
      reason: 'PortsInNodePortRange',
      message: `Some of forwardingPorts are in the cluster's node port range ${formatPortRange(nodePortRange)} and aren't given out.`,
    });
  }
  return {
    name: metadata.name,
    ranges: { nodePort: usable, forwardingPort: outside },
    total: { nodePort: countPorts(usable), forwardingPort: countPorts(outside) },
    namespaceSelector: spec.namespaceSelector,
    priority: spec.priority ?? 0,
    autoAssign: spec.autoAssign ?? true,
    disabled: spec.disabled ?? false,
    findings,
  };
}
