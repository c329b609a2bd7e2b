import type { Change } from '../provider.ts';
import type { JsonObject } from './json.ts';

/** One declaration, or one synchronisation of the device group. */
export type BigipChange = Change &
  (
    | { call: 'Declare'; tenant: string; application: string; declaration: JsonObject }
    | { call: 'Remove'; tenant: string; application: string }
    | { call: 'Synchronise'; tenant: string; application: string }
  );
