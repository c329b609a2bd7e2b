import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import type { PeerContact } from '../../../agent/announce/member-record.ts';
import type { Renewal } from '../../../agent/announce/member-view.ts';
import { Peers } from '../../../agent/announce/peers.ts';
import { silentLogger } from '../../../kube/log.ts';
import { eventually } from '../../support/eventually.ts';

const PORT = 29474;
const RENEWAL = { session: 'a-life', seq: 7 };

describe('members that ask each other over UDP', () => {
  const contacts = new Map<string, PeerContact>(
    ['a', 'b', 'c'].map((name, i) => [
      name,
      { addresses: [`127.0.0.${i + 1}`], port: PORT, key: `key of ${name}` },
    ]),
  );
  let open: Peers[] = [];

  afterEach(() => {
    for (const peers of open) peers.close();
    open = [];
  });

  async function member(
    name: string,
    vouchFor: (node: string, renewal: Renewal) => boolean = () => true,
    contactOf: (node: string) => PeerContact | undefined = (node) => contacts.get(node),
  ): Promise<Peers> {
    const contact = contacts.get(name);
    const peers = new Peers({
      self: name,
      addresses: contact?.addresses ?? [],
      port: PORT,
      key: contact?.key ?? '',
      contactOf,
      vouchFor,
      renewal: () => RENEWAL,
      log: silentLogger,
    });
    await peers.open();
    open.push(peers);
    return peers;
  }

  it('enough vouch: yes, as soon as they did, and for the renewal that was asked about', async () => {
    const asked: [string, number][] = [];
    const note = (node: string, renewal: Renewal) => asked.push([node, renewal.seq]) > 0;
    const a = await member('a');
    await member('b', note);
    await member('c', note);

    const startedAt = performance.now();
    const vouched = await a.ask(['b', 'c'], 2, startedAt, 20_000);

    expect(vouched).to.equal(true);
    expect(performance.now() - startedAt).to.be.below(10_000);
    expect(asked).to.deep.equal([
      ['a', 7],
      ['a', 7],
    ]);
  });

  it('too few vouch: no, after the time-out', async () => {
    const a = await member('a');
    await member('b');
    await member('c', () => false);

    expect(await a.ask(['b', 'c'], 2, 0, 200)).to.equal(false);
    expect(await a.ask(['b', 'c'], 1, 0, 20_000)).to.equal(true);
  });

  it('who may not read Leases can neither ask nor vouch', async () => {
    let asked = 0;
    const wrong = (node: string): PeerContact | undefined => {
      const contact = contacts.get(node);
      return contact === undefined ? undefined : { ...contact, key: 'guessed' };
    };
    const a = await member('a', () => true, wrong);
    await member('b', () => ++asked > 0);

    expect(await a.ask(['b'], 1, 0, 200)).to.equal(false);
    expect(asked).to.equal(0);
  });

  it('a question that was overheard is not answered again', async () => {
    let asked = 0;
    const overheard: Buffer[] = [];
    const tap = createSocket('udp4').on('message', (data) => overheard.push(data));
    tap.bind(PORT, '127.0.0.2');
    await once(tap, 'listening');
    const a = await member('a');
    await a.ask(['b'], 1, 0, 100);
    await eventually(() => expect(overheard).to.not.have.length(0));
    tap.close();
    await once(tap, 'close');
    await member('b', () => ++asked > 0);
    expect(overheard.length).to.equal(1);

    const sender = createSocket('udp4');
    for (let i = 0; i < 3; i++) for (const data of overheard) sender.send(data, PORT, '127.0.0.2');
    await eventually(() => expect(asked).to.not.equal(0));
    await sleep(200);
    sender.close();

    expect(asked, 'the first time it is as good as from the asker').to.equal(1);
  });
});
