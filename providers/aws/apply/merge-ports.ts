import type { SecurityGroupPorts } from '../model.ts';

/**
 * The same ports in at most `most` ranges: what touches is joined, then whatever has the smallest gap between, so that as
 * little as possible is opened beside what is asked for. ICMP, whose numbers are no ports, is never joined.
 */
export function mergePorts(ports: readonly SecurityGroupPorts[], most: number): SecurityGroupPorts[] {
  const merged: SecurityGroupPorts[] = [];
  for (const each of [...ports].sort(compare)) {
    const last = merged.at(-1);
    if (last !== undefined && touches(last, each)) last.toPort = Math.max(last.toPort, each.toPort);
    else merged.push({ ...each });
  }
  while (merged.length > most && joinNearest(merged));
  return merged;
}

/** Whether all of these ports are within the ranges. */
export function covers(ranges: readonly SecurityGroupPorts[], ports: readonly SecurityGroupPorts[]): boolean {
  return ports.every((port) =>
    ranges.some(
      (range) =>
        range.protocol === port.protocol && range.fromPort <= port.fromPort && port.toPort <= range.toPort,
    ),
  );
}

export function portsKey({ fromPort, protocol, toPort }: SecurityGroupPorts): string {
  return `${protocol} ${fromPort} ${toPort}`;
}

function compare(a: SecurityGroupPorts, b: SecurityGroupPorts): number {
  if (a.protocol !== b.protocol) return a.protocol < b.protocol ? -1 : 1;
  return a.fromPort - b.fromPort || a.toPort - b.toPort;
}

function touches(a: SecurityGroupPorts, b: SecurityGroupPorts): boolean {
  if (a.protocol !== b.protocol) return false;
  if (!hasPorts(a)) return a.fromPort === b.fromPort && a.toPort === b.toPort;
  return b.fromPort <= a.toPort + 1;
}

function joinNearest(merged: SecurityGroupPorts[]): boolean {
  let nearest = -1;
  let smallest = Number.POSITIVE_INFINITY;
  for (const [at, range] of merged.entries()) {
    const next = merged[at + 1];
    if (next === undefined || next.protocol !== range.protocol || !hasPorts(range)) continue;
    const gap = next.fromPort - range.toPort;
    if (gap < smallest) [nearest, smallest] = [at, gap];
  }
  const [range, next] = [merged[nearest], merged[nearest + 1]];
  if (range === undefined || next === undefined) return false;
  merged.splice(nearest, 2, { ...range, toPort: next.toPort });
  return true;
}

function hasPorts({ protocol }: SecurityGroupPorts): boolean {
  return protocol === 'tcp' || protocol === 'udp';
}
