import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { expect } from 'chai';
import { createNft, NftError } from '../../../agent/nftables/run-nft.ts';
import { eventually } from '../../support/eventually.ts';

const list = () => execFileSync('nft', ['list', 'ruleset']).toString();
const change = (input: string) => ({ args: ['-f', '-'], input });
const failureOf = (error: unknown) => (error instanceof NftError ? error.failure : `no NftError: ${error}`);

/** In a network namespace of this test run, by a shell that stays. */
describe('agent: small transactions', () => {
  const nft = createNft();

  beforeEach(async () => {
    await nft(change('add table ip small\nadd set ip small s { type ipv4_addr; }\nflush set ip small s\n'));
  });

  after(async () => {
    await nft(change('delete table ip small\n'));
  });

  it('are of several lines, and all or nothing', async () => {
    await nft(change('add element ip small s { 10.0.0.1 }\nadd element ip small s { 10.0.0.2 }\n'));
    expect(list()).to.include('elements = { 10.0.0.1, 10.0.0.2 }');

    const refused = await nft(
      change('add element ip small s { 10.0.0.3 }\nadd element ip small s { nonsense. }\n'),
    ).then(() => 'nothing', failureOf);
    expect(refused).to.equal('Refused');
    expect(list()).not.to.include('10.0.0.3');
  });

  it('tell what is missing from what is refused, in the words of nft', async () => {
    const error = await nft(change('delete element ip small s { 10.9.9.9 }\n')).catch(
      (thrown: unknown) => thrown,
    );
    expect(failureOf(error)).to.equal('Missing');
    expect(String(error)).to.include('No such file or directory').and.to.include('10.9.9.9');
  });

  it('mean what they say, whatever a shell would make of it', async () => {
    const text = 'add chain ip small c { comment "$(touch /tmp/x) `id` \\ \'%s\' *" ; }\n';
    await nft(change(text));
    expect(list()).to.include("$(touch /tmp/x) `id` \\ '%s' *");
  });

  it('go one after the other', async () => {
    const hosts = Array.from({ length: 30 }, (_, host) => host + 1);
    await Promise.all(hosts.map((host) => nft(change(`add element ip small s { 10.0.1.${host} }\n`))));
    expect(list().match(/10\.0\.1\.\d+/g)).to.have.length(30);
  });

  it('go on after the shell was killed', async () => {
    for (const pid of shells()) process.kill(pid, 'SIGKILL');
    const first = await nft(change('add element ip small s { 10.0.0.8 }\n')).then(() => 'taken', failureOf);
    expect(['taken', 'Unavailable']).to.include(first);

    await nft(change('add element ip small s { 10.0.0.9 }\n'));
    expect(list()).to.include('10.0.0.9');
  });

  it('go on at once after the shell died while it had nothing to do', async function () {
    this.timeout(30_000);
    for (const pid of shells()) process.kill(pid, 'SIGKILL');
    await eventually(async () => expect(shells()).to.deep.equal([]));
    // Node is told of a child's end a moment after it has ended.
    await new Promise((resolve) => setTimeout(resolve, 1_000));

    await nft(change('add element ip small s { 10.0.0.10 }\n'));
    expect(list()).to.include('10.0.0.10');
  });
});

function shells(): number[] {
  const children = readdirSync(`/proc/${process.pid}/task`).flatMap((thread) =>
    readFileSync(`/proc/${process.pid}/task/${thread}/children`, 'utf8').split(' ').filter(Boolean),
  );
  return children
    .map(Number)
    .filter((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('IFS= read'));
}
