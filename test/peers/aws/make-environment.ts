/**
 * Makes the virtual environment that the stand-in for AWS runs in, unless it is there.
 *
 *   node test/peers/aws/make-environment.ts [--check]      with --check it only tells, by its exit status
 */
import { environmentDir, findPython, isWhole } from './python-environment.ts';

if (!process.argv.includes('--check')) await findPython();
else if (!isWhole(environmentDir())) process.exitCode = 1;
