/** Fails when package-lock.json leaves out a package, so that `npm ci` would refuse it. */
import { readFileSync } from 'node:fs';
import { findLockGaps, type Lockfile } from './find-lock-gaps.ts';

const lockfile: Lockfile = JSON.parse(readFileSync(new URL('../package-lock.json', import.meta.url), 'utf8'));
const gaps = findLockGaps(lockfile);
for (const gap of gaps) process.stderr.write(`package-lock.json lacks ${gap}\n`);
process.exitCode = gaps.length === 0 ? 0 : 1;
