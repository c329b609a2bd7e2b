import { type ConfigObject, type Configuration, partitionOf } from '../configuration.ts';
import { text } from '../plain.ts';

/** What stands in /Common already, by its address. */
export interface InCommon {
  nodes: ReadonlyMap<string, ConfigObject>;
  addresses: ReadonlyMap<string, ConfigObject>;
}

export function readCommon(configuration: Configuration): InCommon {
  const byAddress = (kind: string) =>
    new Map(
      configuration
        .list(kind)
        .filter(({ path }) => partitionOf(path) === 'Common')
        .map((one) => [text(one.properties.address), one]),
    );
  return { nodes: byAddress('ltm/node'), addresses: byAddress('ltm/virtual-address') };
}
