import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { Waiting } from '../../../operator/reconcile/waiting.ts';
import { eventually } from '../../support/eventually.ts';

describe('reconcile: Services that wait', () => {
  let woken: string[];
  let waiting: Waiting;

  beforeEach(() => {
    woken = [];
    waiting = new Waiting((key) => void woken.push(key));
    for (const [key, waitsFor] of [
      ['shop/pool', 'objects'],
      ['shop/address', 'claims'],
      ['shop/served', 'nothing'],
    ] as const) {
      waiting.begin(key);
      waiting.end(key, waitsFor);
    }
  });
  afterEach(() => waiting.stop());
  const untilWoken = (...keys: string[]) => eventually(() => expect(woken.toSorted()).to.deep.equal(keys));

  it('wakes those that lack claims, and no others, when claims are freed', async () => {
    waiting.freed();

    await untilWoken('shop/address');
  });

  it('wakes all of them when a pool or a provider changes, and those in the middle of a turn', async () => {
    waiting.begin('shop/turn');
    waiting.freed();
    waiting.objectsChanged();

    await untilWoken('shop/address', 'shop/pool', 'shop/turn');
  });

  it('wakes after its turn who lacks claims of which some were freed in the middle of it, alone', async () => {
    waiting.end('shop/address', 'nothing');
    waiting.begin('shop/turn');
    waiting.freed();
    waiting.end('shop/turn', 'claims');

    await untilWoken('shop/turn');
  });

  it('wakes nobody for what was freed before a turn, nor for a turn after which no claims are lacking', async () => {
    waiting.end('shop/address', 'nothing');
    waiting.freed();
    waiting.begin('shop/late');
    waiting.begin('shop/mended');
    waiting.begin('shop/refused');
    waiting.end('shop/late', 'claims');
    waiting.freed();
    waiting.end('shop/mended', 'nothing');
    waiting.end('shop/refused', 'objects');

    // Its wake is the last that could come: what was due before it would have been with it.
    await untilWoken('shop/late');
  });

  it('wakes once for many that are freed in a row', async () => {
    for (let i = 0; i < 100; i++) waiting.freed();

    await untilWoken('shop/address');
    await sleep(100);
    expect(woken).to.deep.equal(['shop/address']);
  });
});
