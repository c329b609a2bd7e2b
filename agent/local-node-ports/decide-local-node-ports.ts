import type { Family } from '../endpoints/canonical-address.ts';
import { familiesOf } from '../service-families.ts';
import type { ServedInputs } from '../service-observer.ts';

/** A node port that is to answer on the loopback address of a family. */
export interface LocalNodePort {
  family: Family;
  port: number;
}

/** The TCP node ports of a Service, for each family that it has; those of Services whose proxy we are. */
export function decideLocalNodePorts({ service, part }: ServedInputs): LocalNodePort[] {
  if (part !== 'Everything') return [];
  const ports = (service.spec.ports ?? []).flatMap(({ protocol = 'TCP', nodePort = 0 }) =>
    protocol === 'TCP' && nodePort !== 0 ? [nodePort] : [],
  );
  return familiesOf(service).flatMap((family) => ports.map((port) => ({ family, port })));
}
