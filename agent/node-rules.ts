import { networkInterfaces } from 'node:os';
import type { Node, ServiceCIDR } from '../kube/objects.ts';
import type { Store } from '../kube/store.ts';
import { collectNodePortAddresses } from './collect-node-addresses.ts';
import { dropContained } from './drop-contained.ts';
import type { Applier } from './nftables/applier.ts';
import type { TableOptions } from './nftables/render-table.ts';
import type { RuleBook } from './nftables/rule-book.ts';

export interface NodeRulesOptions {
  nodes: Store<Node>;
  nodeName: string;
  /** Empty where the cluster doesn't tell its ranges (before Kubernetes 1.33). */
  serviceCidrs: Store<ServiceCIDR>;
  nodePortAddresses: 'primary' | readonly string[];
  clusterCidrs: readonly string[];
  markBit: number;
  book: RuleBook;
  applier: Applier;
}

const OWNER = { key: '', since: '' };

/** Keeps up to date what rules depend on beside Services: this node's addresses and the cluster's ranges. */
export class NodeRules {
  readonly #options: NodeRulesOptions;
  readonly #unsubscribe: (() => void)[] = [];
  #addresses = '';
  #table = '';

  constructor(options: NodeRulesOptions) {
    this.#options = options;
  }

  start(): void {
    const { nodes, serviceCidrs } = this.#options;
    this.#unsubscribe.push(
      nodes.onChange(() => this.refreshAddresses()),
      serviceCidrs.onChange(() => this.#refreshTable()),
    );
    this.refreshAddresses();
    this.#refreshTable();
  }

  stop(): void {
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
  }

  /** Local addresses come and go without a word: call now and then. */
  refreshAddresses(): void {
    const { nodes, nodeName, nodePortAddresses, book, applier } = this.#options;
    const node = nodes.get(nodeName);
    // The Node is gone, the machine isn't: what it serves it goes on serving.
    if (node === undefined && this.#addresses !== '' && nodePortAddresses === 'primary') return;
    const members = collectNodePortAddresses(nodePortAddresses, node, networkInterfaces());
    const text = JSON.stringify(members);
    if (text === this.#addresses) return;
    this.#addresses = text;
    book.put(OWNER, members);
    applier.schedule();
  }

  #refreshTable(): void {
    const { serviceCidrs, clusterCidrs, markBit, applier } = this.#options;
    const table: TableOptions = {
      clusterCidrs: dropContained(clusterCidrs),
      serviceCidrs: dropContained(serviceCidrs.list().flatMap(({ spec }) => spec?.cidrs ?? [])),
      markBit,
    };
    const text = JSON.stringify(table);
    if (text === this.#table) return;
    this.#table = text;
    applier.setTable(table);
  }
}
