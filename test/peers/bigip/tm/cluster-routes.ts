import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster, ClusterUnit } from '../cluster.ts';
import { object, type PlainObject, text } from '../plain.ts';
import { configurationError, ok, type RestAnswer } from '../rest-answer.ts';
import { linkTo, TMOS } from './render-object.ts';

const SYNC = /^config-sync to-group (?:\/Common\/)?(\S+)$/;

export interface UnitInCluster {
  unit: ClusterUnit;
  cluster: Cluster;
  syncMs: number;
}

/** /mgmt/tm/cm, and what the system says of itself; undefined for all other paths. */
export async function answerCluster(
  { unit, cluster, syncMs }: UnitInCluster,
  method: string,
  path: string,
  body: PlainObject,
): Promise<RestAnswer | undefined> {
  if (method === 'POST' && path === 'cm') return await runCm(unit, cluster, syncMs, body);
  if (method === 'POST' && path === 'sys/failover') return runFailover(unit, cluster, body);
  if (method === 'POST' && path === 'sys/config') return ok({ kind: 'tm:sys:config:runstate', ...body });
  if (method !== 'GET') return undefined;
  switch (path) {
    case 'sys/version':
      return ok(
        nested('sys/version', 'tm:sys:version:versionstats', {
          Build: '0.0.4',
          Edition: 'Point Release 1',
          Product: 'BIG-IP',
          Title: 'Main Package',
          Version: TMOS,
        }),
      );
    case 'sys/ready':
      return ok(
        nested('sys/ready', 'tm:sys:ready:readystats', {
          configReady: 'yes',
          licenseReady: 'yes',
          provisionReady: 'yes',
        }),
      );
    case 'sys/failover': {
      const state = cluster.isActive(unit) ? 'active' : 'standby';
      return ok({
        kind: 'tm:sys:failover:failoverstats',
        selfLink: linkTo('sys/failover'),
        apiRawValues: { apiAnonymous: `Failover ${state} for ${cluster.activeFor}\n` },
      });
    }
    case 'cm/device':
      return ok({
        kind: 'tm:cm:device:devicecollectionstate',
        selfLink: linkTo('cm/device'),
        items: cluster.units.map((device) => renderDevice(device, unit, cluster)),
      });
    case 'cm/failover-status': {
      const state = cluster.isActive(unit) ? 'ACTIVE' : 'STANDBY';
      const entries = {
        color: state === 'ACTIVE' ? 'green' : 'gray',
        status: state,
        summary: state === 'ACTIVE' ? '1/1 active' : '1/1 standby',
      };
      return ok(nested('cm/failover-status', 'tm:cm:failover-status:failover-statusstats', entries));
    }
    case 'cm/sync-status':
      return ok(nested('cm/sync-status', 'tm:cm:sync-status:sync-statusstats', syncStatus(cluster)));
    default:
      return undefined;
  }
}

async function runCm(
  unit: ClusterUnit,
  cluster: Cluster,
  syncMs: number,
  body: PlainObject,
): Promise<RestAnswer> {
  const [, group] = SYNC.exec(text(body.utilCmdArgs)) ?? [];
  if (body.command !== 'run' || group === undefined) {
    return configurationError(400, `Syntax Error: unexpected argument "${text(body.utilCmdArgs)}"`);
  }
  if (group !== cluster.group) {
    return configurationError(
      404,
      `01020036:3: The requested device group (/Common/${group}) was not found.`,
    );
  }
  if (syncMs > 0) await sleep(syncMs);
  cluster.syncFrom(unit);
  return ok({ kind: 'tm:cm:runstate', command: 'run', utilCmdArgs: text(body.utilCmdArgs) });
}

/** `{"command": "run", "standby": true}` gives up being active. */
function runFailover(unit: ClusterUnit, cluster: Cluster, body: PlainObject): RestAnswer {
  const standby = body.standby === true || text(object(body).utilCmdArgs) === 'standby';
  if (body.command === 'run' && standby && cluster.isActive(unit)) cluster.failOver();
  return ok({ kind: 'tm:sys:failover:runstate', ...body });
}

function renderDevice(device: ClusterUnit, self: ClusterUnit, cluster: Cluster): PlainObject {
  return {
    kind: 'tm:cm:device:devicestate',
    name: device.host,
    partition: 'Common',
    fullPath: `/Common/${device.host}`,
    generation: 1,
    selfLink: linkTo('cm/device', `/Common/${device.host}`),
    failoverState: cluster.isActive(device) ? 'active' : 'standby',
    hostname: device.host,
    managementIp: '127.0.0.1',
    marketingName: 'BIG-IP Virtual Edition',
    product: 'BIG-IP',
    selfDevice: device === self ? 'true' : 'false',
    version: TMOS,
  };
}

function syncStatus(cluster: Cluster): Record<string, string> {
  if (cluster.group === undefined)
    return { color: 'green', mode: 'standalone', status: 'Standalone', summary: ' ' };
  return cluster.inSync()
    ? {
        color: 'green',
        mode: 'high-availability',
        status: 'In Sync',
        summary: 'All devices in the device group are in sync',
      }
    : {
        color: 'yellow',
        mode: 'high-availability',
        status: 'Changes Pending',
        summary: 'There is a possible change conflict',
      };
}

function nested(path: string, kind: string, entries: Readonly<Record<string, string>>): PlainObject {
  const described = Object.fromEntries(
    Object.entries(entries).map(([name, description]) => [name, { description }]),
  );
  return {
    kind,
    selfLink: linkTo(path),
    entries: { [`https://localhost/mgmt/tm/${path}/0`]: { nestedStats: { entries: described } } },
  };
}
