import { spawn } from 'node:child_process';
import type { FileHandle } from 'node:fs/promises';
import type { ShellAnswer } from '../../kube/shell-helper.ts';
import { NftHelper } from './nft-helper.ts';
import { stageInput } from './stage-input.ts';

/**
 * - `Refused`: nft or the kernel won't have this input, and applied nothing of it;
 * - `Missing`: what was named isn't there;
 * - `Unavailable`: nothing can be said of the input: no nft, no right, no answer in time.
 */
export type NftFailure = 'Refused' | 'Missing' | 'Unavailable';

export class NftError extends Error {
  readonly failure: NftFailure;

  constructor(failure: NftFailure, message: string, options?: ErrorOptions) {
    super(message, options);
    this.failure = failure;
  }
}

/** Passes on every error that says nothing of the input. */
export function throwUnlessRefused(error: unknown): asserts error is NftError {
  if (!(error instanceof NftError) || error.failure === 'Unavailable') throw error;
}

export interface NftRun {
  args: readonly string[];
  input?: string;
  signal?: AbortSignal | undefined;
  /** Given what nft prints, piece by piece; then nothing is returned. What is printed before a failure is given too. */
  onText?: (text: string) => void;
}

/** The boundary to nft: runs it, returns what it printed, or throws an NftError. */
export type Nft = (run: NftRun) => Promise<string>;

const TIMEOUT_MS = 60_000;
/** A pipe takes so much in one piece: whoever reads has all of it, or nothing. */
const LONGEST_PIPED = 16_384;
/** nft repeats every line that it minds; the first ones tell enough. */
const LONGEST_COMPLAINT = 8_192;

/** Told of each long input: why nft was given it through a pipe, of which it may take a part for the whole; null: it wasn't. */
export type StagingObserver = (problem: string | null) => void;

/** Runs the `nft` of the system; by `prefix` somewhere else, such as in another network namespace. */
export function createNft(prefix: readonly string[] = [], onStaged: StagingObserver = () => {}): Nft {
  const [command = 'nft', ...first] = [...prefix, 'nft'];
  // Elsewhere, somebody may want to take the namespace away: nothing stays running in it.
  const helper = prefix.length === 0 ? new NftHelper() : null;
  return async (run) => {
    const { input = '' } = run;
    if (helper !== null && isSmallTransaction(run)) return await runByHelper(helper, input);
    const file = input.length > LONGEST_PIPED ? await stage(input, onStaged) : null;
    try {
      return await runOnce(command, first, run, file?.fd);
    } finally {
      await file?.close();
    }
  };
}

/** Null: no folder takes it. To serve is worth more than to be safe from a kill in just this moment. */
async function stage(input: string, onStaged: StagingObserver): Promise<FileHandle | null> {
  let file: FileHandle | null = null;
  let problem: string | null = null;
  try {
    file = await stageInput(input);
  } catch (error) {
    problem = error instanceof Error ? error.message : String(error);
  }
  onStaged(problem);
  return file;
}

function isSmallTransaction({ args, input = '', signal }: NftRun): boolean {
  return args.join(' ') === '-f -' && input !== '' && input.length <= LONGEST_PIPED && signal === undefined;
}

async function runByHelper(helper: NftHelper, input: string): Promise<string> {
  let answer: ShellAnswer;
  try {
    answer = await helper.run(input, TIMEOUT_MS);
  } catch (error) {
    throw new NftError('Unavailable', `nft can't be run: ${String(error)}`, { cause: error });
  }
  const { status, said } = answer;
  if (status === 0) return said;
  // What a shell says of a program that it can't run.
  if (status === 126 || status === 127) throw new NftError('Unavailable', `nft can't be run: ${said}`);
  // Above that, the signal that ended it.
  throw classify(status > 128 ? null : status, `signal ${status - 128}`, said.slice(0, LONGEST_COMPLAINT));
}

function runOnce(
  command: string,
  first: readonly string[],
  { args, input, signal, onText }: NftRun,
  inputFile: number | undefined,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, [...first, ...args], {
      stdio: [inputFile ?? 'pipe', 'pipe', 'pipe'],
      timeout: TIMEOUT_MS,
      killSignal: 'SIGKILL',
      signal,
    });
    const printed: Buffer[] = [];
    let complaint = '';
    if (onText === undefined) child.stdout?.on('data', (chunk: Buffer) => printed.push(chunk));
    // ASCII, all of it that is ours: no character is ever cut in two.
    else child.stdout?.on('data', (chunk: Buffer) => onText(chunk.toString('latin1')));
    child.stderr?.on('data', (chunk: Buffer) => {
      if (complaint.length < LONGEST_COMPLAINT) complaint += chunk.toString();
    });
    child.once('error', (error) => {
      reject(new NftError('Unavailable', `nft can't be run: ${error.message}`, { cause: error }));
    });
    child.once('close', (code, killedBy) => {
      if (code === 0) resolve(Buffer.concat(printed).toString());
      else reject(classify(code, killedBy, complaint.slice(0, LONGEST_COMPLAINT).trim()));
    });
    // A child that dies early closes its end; its exit status tells more than the broken pipe.
    child.stdin?.on('error', () => {});
    child.stdin?.end(input ?? '');
  });
}

function classify(code: number | null, killedBy: string | null, complaint: string): NftError {
  if (code === null) return new NftError('Unavailable', `nft was ended by ${killedBy ?? 'something'}`);
  const message = complaint === '' ? `nft ended with status ${code}` : complaint;
  if (/Operation not permitted|Permission denied/.test(complaint)) {
    return new NftError('Unavailable', message);
  }
  return new NftError(/No such file or directory/.test(complaint) ? 'Missing' : 'Refused', message);
}
