import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { expect } from 'chai';
import { LeavingServers } from '../../../edge/leaving-servers.ts';

describe('edge: since when servers leave', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(`${tmpdir()}/leaving-`);
  });

  afterEach(() => rmSync(folder, { recursive: true }));

  it('is known to a later life of the edge, and to the one after that', () => {
    const file = `${folder}/leaving.json`;
    const since = new Map([
      ['web/10.0.0.1:80', 12.34],
      ['web/[2001:db8::1]:80', 56],
    ]);
    new LeavingServers(file).set(since);
    expect(new LeavingServers(file).since).to.deep.equal(since);
    expect(new LeavingServers(file).since).to.deep.equal(since);
    new LeavingServers(file).set(new Map());
    expect(new LeavingServers(file).since).to.deep.equal(new Map());
  });

  it('begins anew with a file that says nothing', () => {
    const file = `${folder}/leaving.json`;
    expect(new LeavingServers(file).since).to.deep.equal(new Map());
    for (const text of ['', '{"web/10.0.0.1:80":', '{"web/10.0.0.1:80":"soon"}', '[]']) {
      writeFileSync(file, text);
      expect(new LeavingServers(file).since, text).to.deep.equal(new Map());
    }
  });
});
