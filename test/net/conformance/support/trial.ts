import type { KubeClient } from '../../../../kube/client.ts';
import { isClass } from '../../../../kube/errors.ts';
import type { KubeObject, Service } from '../../../../kube/objects.ts';
import { ENDPOINT_SLICES, type ResourceType, SERVICES } from '../../../../kube/resources.ts';
import type { Station } from '../../support/station.ts';
import type { Transport } from '../../support/station-protocol.ts';
import type { Target } from './case.ts';
import type { ConformanceLab } from './lab.ts';
import { type Family, familyOf, type Place } from './places.ts';
import {
  type Allotment,
  NAMESPACE,
  protocolOf,
  type ServiceSketch,
  serviceOf,
  slicesOf,
  statusOf,
} from './sketch.ts';

const OWNER = { contentType: 'apply', fieldManager: 'conformance', force: true } as const;

interface Written {
  sketch: ServiceSketch;
  allotment: Allotment;
  service: Service;
  /** Names of its slices. */
  slices: string[];
}

/** One case's own part of the cluster: its objects, and the addresses that they were given. */
export class Trial {
  readonly lab: ConformanceLab;
  /** Unique among the trials; below 65,000. */
  readonly number: number;
  /** What a check remembers for one of a later stage. */
  readonly notes = new Map<string, unknown>();
  readonly #written = new Map<string, Written>();
  /** By name; kept when a Service goes. */
  readonly #allotments = new Map<string, Allotment>();

  constructor(lab: ConformanceLab, number: number) {
    this.lab = lab;
    this.number = number;
  }

  get client(): KubeClient {
    return this.lab.client;
  }

  station(place: Place): Station {
    return this.lab.station(place.name);
  }

  /** Makes these all the Services of the case. */
  async write(sketches: readonly ServiceSketch[]): Promise<void> {
    const names = sketches.map(({ name = 'web' }) => name);
    const gone = [...this.#written].filter(([name]) => !names.includes(name));
    await Promise.all(gone.map(([name]) => this.#remove(name)));
    // In order: the first of two that claim one address is the older.
    for (const sketch of sketches) await this.#apply(sketch);
  }

  async removeAll(): Promise<void> {
    await Promise.all([...this.#written.keys()].map((name) => this.#remove(name)));
  }

  /** The Service as the API server answered it last. */
  service(name?: string): Service {
    return this.#of(name).service;
  }

  /** What a target is, in one family. */
  resolve(target: Target, transport: Transport, family: Family): { address: string; port: number } {
    if (target.at === 'address') return { address: target.addresses[family], port: target.port };
    const { sketch, service, allotment } = this.#of(target.service);
    const port = target.port ?? service.spec.ports?.[0]?.port ?? 0;
    if (target.at === 'clusterIP') return { address: clusterIpOf(service, family), port };
    if (target.at === 'vip' || target.at === 'externalIP') {
      const { vip, externalIp } =
        sketch.addressesOf === undefined ? allotment : this.#allotmentOf(sketch.addressesOf);
      return { address: (target.at === 'vip' ? vip : externalIp)[family], port };
    }
    const addresses = target.at === 'nodePort' ? target.of.addresses : target.addresses;
    return { address: addresses[family], port: nodePortOf(service, port, transport) };
  }

  async #apply(sketch: ServiceSketch): Promise<void> {
    const { name = 'web', addressesOf } = sketch;
    const before = this.#written.get(name);
    const allotment = this.#allotmentOf(name);
    const shared = addressesOf === undefined ? allotment : this.#allotmentOf(addressesOf);
    const effective = { ...allotment, vip: shared.vip, externalIp: shared.externalIp };
    const slices = slicesOf(sketch, effective);
    const service = await this.#put(SERVICES, serviceOf(sketch, effective));
    const written = { sketch, allotment, service, slices: slices.map(({ metadata }) => metadata.name) };
    this.#written.set(name, written);
    if (sketch.vip !== before?.sketch.vip) {
      await this.client.patch(
        SERVICES,
        NAMESPACE,
        allotment.name,
        { status: statusOf(sketch, effective) },
        { contentType: 'merge', subresource: 'status' },
      );
    }
    await Promise.all([
      ...slices.map((slice) => this.#put(ENDPOINT_SLICES, slice)),
      ...(before?.slices ?? [])
        .filter((slice) => !written.slices.includes(slice))
        .map((slice) => this.client.delete(ENDPOINT_SLICES, NAMESPACE, slice)),
    ]);
  }

  async #put<T extends KubeObject>(type: ResourceType<T>, object: T): Promise<T> {
    const { name } = object.metadata;
    try {
      return await this.client.patch(type, NAMESPACE, name, object, OWNER);
    } catch (error) {
      // Slices never change the family of their addresses.
      if (type.kind !== ENDPOINT_SLICES.kind || !isClass(error, 'Rejected')) throw error;
      await this.client.delete(type, NAMESPACE, name);
      return this.client.patch(type, NAMESPACE, name, object, OWNER);
    }
  }

  async #remove(name: string): Promise<void> {
    const { allotment, slices } = this.#of(name);
    this.#written.delete(name);
    await Promise.all([
      this.client.delete(SERVICES, NAMESPACE, allotment.name),
      ...slices.map((slice) => this.client.delete(ENDPOINT_SLICES, NAMESPACE, slice)),
    ]);
  }

  #allotmentOf(name: string): Allotment {
    const known = this.#allotments.get(name);
    if (known !== undefined) return known;
    const host = this.number * 16 + this.#allotments.size;
    const last = `${host >> 8}.${host & 255}`;
    const allotment = {
      name: `c${this.number}-${name}`,
      vip: { IPv4: `198.51.${last}`, IPv6: `fd00:203::1:${host.toString(16)}` },
      externalIp: { IPv4: `203.1.${last}`, IPv6: `fd00:203::2:${host.toString(16)}` },
      families: this.lab.families,
    };
    this.#allotments.set(name, allotment);
    return allotment;
  }

  #of(name: string | undefined): Written {
    const written = name === undefined ? [...this.#written.values()][0] : this.#written.get(name);
    if (written === undefined) throw new Error(`the case has no Service ${name ?? 'at all'}`);
    return written;
  }
}

function clusterIpOf({ spec, metadata }: Service, family: Family): string {
  const address = spec.clusterIPs?.find((each) => familyOf(each) === family);
  if (address === undefined) throw new Error(`${metadata.name} has no ClusterIP of ${family}`);
  return address;
}

function nodePortOf({ spec, metadata }: Service, port: number, transport: Transport): number {
  const protocol = protocolOf(transport);
  const found = spec.ports?.find((each) => each.port === port && each.protocol === protocol);
  if (found?.nodePort === undefined)
    throw new Error(`${metadata.name} has no node port of ${protocol} ${port}`);
  return found.nodePort;
}
