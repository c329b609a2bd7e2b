import { createHash } from 'node:crypto';
import { type BigIpPeer, startBigIp } from '../peers/bigip/bigip-peer.ts';
import { splitPath } from '../peers/bigip/configuration.ts';
import { membersOf } from '../peers/bigip/members.ts';
import { text } from '../peers/bigip/plain.ts';
import { CONTROL_PLANE } from './network/addresses.ts';

/** Ours on it; whatever is elsewhere is other people's. */
export const TENANT = 'fairlead_demo';
/** An address of config/samples/pool.yaml that somebody's virtual server has already. */
export const TAKEN_ADDRESS = '198.18.0.250';

export interface DeviceAccess {
  /** `host:port` of its management address. */
  device: string;
  username: string;
  password: string;
  /** PEM. */
  ca: string;
  /** Declarations are held against F5's schema. */
  schemaChecked: boolean;
}

/** What changed applications. */
export interface DeviceDeclaration {
  method: string;
  path: string;
  bytes: number;
  body: unknown;
}

export interface DeviceMember {
  /** Full paths. */
  pool: string;
  member: string;
  address: string;
  session: string;
  description: string;
}

export interface DeviceState {
  /** Names of our applications. */
  applications: string[];
  /** Full paths of our virtual servers. */
  virtualServers: string[];
  members: DeviceMember[];
  /** Other people's objects, and a digest of all that is in them. */
  foreign: { count: number; digest: string };
}

/** BIG-IP's stand-in beside a lab, with things of other people on it. It takes declarations, and carries no traffic. */
export class LabDevice {
  readonly #peer: BigIpPeer;

  private constructor(peer: BigIpPeer) {
    this.#peer = peer;
  }

  static async start(): Promise<LabDevice> {
    const times = { declaration: 200, perChange: 10 };
    const peer = await startBigIp({ address: CONTROL_PLANE.v4, times });
    addOthers(peer);
    return new LabDevice(peer);
  }

  get access(): DeviceAccess {
    const { credentials, schemaChecked, unit } = this.#peer;
    return { device: new URL(unit.url).host, ...credentials, ca: unit.ca, schemaChecked };
  }

  declarations(): DeviceDeclaration[] {
    return this.#peer.calls
      .declarations()
      .map(({ body, bytes, method, path }) => ({ method, path, bytes, body }));
  }

  resetCalls(): void {
    this.#peer.calls.reset();
  }

  state(): DeviceState {
    const { configuration } = this.#peer.unit;
    const ours = (kind: string) =>
      configuration.list(kind).filter(({ path }) => path.startsWith(`/${TENANT}/`));
    const virtualServers = ours('ltm/virtual').map(({ path }) => path);
    const members = ours('ltm/pool').flatMap(({ path: pool, properties }) =>
      membersOf(properties).map(({ address, path: member, session, description }) => ({
        pool,
        member,
        address,
        session,
        description: text(description),
      })),
    );
    const foreign = this.#peer.foreignObjects([TENANT]);
    const digest = createHash('sha256').update(JSON.stringify(foreign)).digest('hex');
    const applications = virtualServers.map((path) => splitPath(path).subPath ?? '');
    return {
      applications: [...new Set(applications)],
      virtualServers,
      members,
      foreign: { count: Object.keys(foreign).length, digest },
    };
  }

  /** By hand, as `tmsh modify ltm pool ... members modify` does it. */
  editMember(pool: string, member: string, session: string): void {
    this.#peer.unit.editMember(pool, member, { session });
  }
}

/** A partition of somebody's own, and a virtual server in /Common. */
function addOthers({ unit }: BigIpPeer): void {
  unit.create('auth/partition', { name: 'payroll' });
  unit.create('ltm/pool', {
    name: 'payroll_servers',
    partition: 'payroll',
    loadBalancingMode: 'round-robin',
  });
  unit.create('ltm/virtual', {
    name: 'payroll',
    partition: 'payroll',
    destination: '/payroll/203.0.113.10:443',
    ipProtocol: 'tcp',
    pool: '/payroll/payroll_servers',
  });
  unit.create('ltm/virtual', {
    name: 'intranet',
    partition: 'Common',
    destination: `/Common/${TAKEN_ADDRESS}:80`,
    ipProtocol: 'tcp',
  });
}
