import type { Node, ServiceCIDR } from '../kube/objects.ts';
import type { Store } from '../kube/store.ts';
import { collectNodePortAddresses, primaryAddresses } from './collect-node-addresses.ts';
import { dropContained } from './drop-contained.ts';
import { canonicalAddress } from './endpoints/canonical-address.ts';
import type { ExternalIpRule } from './endpoints/decide-external-ip.ts';
import type { LocalAddressSource } from './local-addresses.ts';
import type { Applier } from './nftables/applier.ts';
import type { Member } from './nftables/model.ts';
import type { RuleBook } from './nftables/rule-book.ts';
import type { TableOptions } from './nftables/table-options.ts';
import type { NodeContext, ServeMode } from './node-context.ts';

export interface NodeRulesOptions {
  nodes: Store<Node>;
  nodeName: string;
  /** Empty where the cluster doesn't tell its ranges (before Kubernetes 1.33). */
  serviceCidrs: Store<ServiceCIDR>;
  nodePortAddresses: 'primary' | readonly string[];
  localAddresses: LocalAddressSource;
  clusterCidrs: readonly string[];
  markBit: number;
  serve: ServeMode;
  externalIps: readonly ExternalIpRule[];
  /** What Services are compiled for changed: all of them are to be compiled anew. */
  onContextChange: () => void;
  book: RuleBook;
  applier: Applier;
}

const OWNER = { key: '', since: '' };
const ANNOUNCED_OWNER = { key: 'announced', since: '' };
const ZONE_LABEL = 'topology.kubernetes.io/zone';

/** Keeps up to date what rules depend on beside Services: this node's addresses and the cluster's ranges. */
export class NodeRules {
  readonly #options: NodeRulesOptions;
  readonly #unsubscribe: (() => void)[] = [];
  #addresses = '';
  #members: readonly Member[] = [];
  #table = '';
  #context: NodeContext;

  constructor(options: NodeRulesOptions) {
    this.#options = options;
    const { nodeName, serve, externalIps } = options;
    this.#context = { nodeName, addresses: [], serve, externalIps };
  }

  /** What Services are compiled for. */
  get context(): NodeContext {
    return this.#context;
  }

  /** Where node ports answer. */
  get nodePortAddresses(): string[] {
    return this.#members.map(({ key }) => key);
  }

  start(): void {
    const { localAddresses, nodes, serviceCidrs } = this.#options;
    this.#unsubscribe.push(
      nodes.onChange(() => {
        this.#refreshAddresses();
        this.#refreshContext();
      }),
      localAddresses.onChange(() => this.#refreshAddresses()),
      serviceCidrs.onChange(() => this.#refreshTable()),
    );
    this.#refreshContext();
    this.#refreshAddresses();
    this.#refreshTable();
  }

  stop(): void {
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
  }

  #refreshAddresses(): void {
    const { nodes, nodeName, nodePortAddresses, localAddresses, book, applier } = this.#options;
    const node = nodes.get(nodeName);
    // The Node is gone, the machine isn't: what it serves it goes on serving.
    if (node === undefined && this.#addresses !== '' && nodePortAddresses === 'primary') return;
    const members = collectNodePortAddresses(nodePortAddresses, node, localAddresses.all);
    const text = JSON.stringify(members);
    if (text === this.#addresses) return;
    this.#addresses = text;
    this.#members = members;
    book.put(OWNER, members);
    applier.schedule();
  }

  /** Addresses that the announcer put on an interface of this node. */
  setAnnounced(addresses: readonly string[]): void {
    const { book, applier } = this.#options;
    const members = addresses.flatMap((text): Member[] => {
      const address = canonicalAddress(text);
      // The node's own stay open, whatever pool has them too.
      if (address === null || this.#context.addresses.includes(address.text)) return [];
      return [{ family: address.family, place: 'announced-ips', key: address.text }];
    });
    book.put(ANNOUNCED_OWNER, members);
    applier.schedule();
  }

  #refreshContext(): void {
    const { nodes, nodeName, onContextChange } = this.#options;
    const node = nodes.get(nodeName);
    // As for node ports: the Node is gone, the machine isn't.
    if (node === undefined) return;
    const zone = node.metadata.labels?.[ZONE_LABEL];
    const addresses = primaryAddresses(node).map(({ text }) => text);
    const context = { ...this.#context, zone, addresses };
    if (JSON.stringify(context) === JSON.stringify(this.#context)) return;
    this.#context = context;
    onContextChange();
  }

  #refreshTable(): void {
    const { serviceCidrs, clusterCidrs, markBit, serve, applier } = this.#options;
    const table: TableOptions = {
      clusterCidrs: dropContained(clusterCidrs),
      // Beside another proxy, an address that we don't know may be one of its own.
      serviceCidrs:
        serve === 'Own' ? [] : dropContained(serviceCidrs.list().flatMap(({ spec }) => spec?.cidrs ?? [])),
      markBit,
    };
    const text = JSON.stringify(table);
    if (text === this.#table) return;
    this.#table = text;
    applier.setTable(table);
  }
}
