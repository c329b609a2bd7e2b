import { writeFileSync } from 'node:fs';
import { checkConfig } from '../haproxy/check-config.ts';
import { placeName, tryBinds } from '../haproxy/try-binds.ts';
import type { EdgeSettings, Fault, ServiceModel } from '../model.ts';
import { type RenderOptions, renderConfig } from '../render-config.ts';
import type { Verdict } from './accept-services.ts';

export interface JudgeOptions {
  /** The program. */
  haproxy: string;
  /** Where a configuration is written to be looked at. */
  candidate: string;
  settings: EdgeSettings;
  render: RenderOptions;
  /** Places that the worker listens at already, as `address port`. */
  listened: ReadonlySet<string>;
}

/** Whether HAProxy would take these Services, without loading them: by its own check, and by binding their places. */
export async function judgeServices(
  services: readonly ServiceModel[],
  { candidate, haproxy, listened, render, settings }: JudgeOptions,
): Promise<Verdict> {
  const { owners, text } = renderConfig({ settings, services: [...services] }, render);
  writeFileSync(candidate, text, { mode: 0o600 });
  const byService = new Map<string, Fault>();
  let unnamed: Fault | undefined;
  const [errors, taken] = await Promise.all([checkConfig(haproxy, candidate), findTaken(services, listened)]);
  for (const { line, message } of errors) {
    const fault = { reason: 'ConfigurationRefused', message: `HAProxy refuses it: ${message}` };
    const owner = line === undefined ? undefined : owners.get(line);
    if (owner === undefined) unnamed ??= fault;
    else if (!byService.has(owner)) byService.set(owner, fault);
  }
  for (const [key, fault] of taken) byService.set(key, fault);
  for (const { fault, key } of services) if (fault !== undefined) byService.set(key, fault);
  return { byService, unnamed: byService.size > 0 ? undefined : unnamed };
}

/** Services that want a place that something else on the machine has. */
async function findTaken(
  services: readonly ServiceModel[],
  listened: ReadonlySet<string>,
): Promise<Map<string, Fault>> {
  const owners = new Map<string, string>();
  const places = services.flatMap(({ frontends, key }) =>
    frontends.flatMap(({ addresses, port }) =>
      addresses.flatMap((address) => {
        const name = placeName({ address, port });
        if (listened.has(name)) return [];
        owners.set(name, key);
        return { address, port };
      }),
    ),
  );
  const faults = new Map<string, Fault>();
  for (const [place, why] of await tryBinds(places)) {
    const message = `HAProxy can't listen at ${place.replace(' ', ' port ')}: ${why}. See what has that port on the edge.`;
    faults.set(owners.get(place) ?? '', { reason: 'PortTaken', message });
  }
  return faults;
}

/** Every place that these Services are served at. */
export function placesOf(services: readonly ServiceModel[]): Set<string> {
  const places = services.flatMap(({ frontends }) =>
    frontends.flatMap(({ addresses, port }) => addresses.map((address) => placeName({ address, port }))),
  );
  return new Set(places);
}
