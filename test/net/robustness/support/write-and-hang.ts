import { createNft } from '../../../../agent/nftables/run-nft.ts';

/** Gives a text of so many characters to what stands in for nft, as the agent does, and says so; then waits to be killed. */
const [script = '', length = '0'] = process.argv.slice(2);
const nft = createNft(['sh', script]);
void nft({ args: ['-f', '-'], input: 'x'.repeat(Number(length)) }).catch(() => {});
setTimeout(() => console.log('given'), 100);
setInterval(() => {}, 1_000);
