import { randomBytes } from 'node:crypto';
import { type FileHandle, open, unlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** /dev/shm is memory, and writable even where the root file system isn't. */
const listFolders = () => ['/dev/shm', tmpdir()];
const PIECE = 1 << 20;

/**
 * A file without a name that holds the text, to be read from its beginning. From a pipe nft would take what has arrived when
 * the agent is killed for all there is: emptied maps, say, and a part of what is to fill them. Throws an Error that tells why
 * no folder takes it.
 */
export async function stageInput(text: string): Promise<FileHandle> {
  const reasons: string[] = [];
  for (const folder of new Set(listFolders())) {
    try {
      return await stageIn(folder, text);
    } catch (error) {
      reasons.push(`${folder}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  throw new Error(`no folder takes ${text.length} bytes: ${reasons.join('; ')}`);
}

async function stageIn(folder: string, text: string): Promise<FileHandle> {
  const path = join(folder, `fairlead-${randomBytes(8).toString('hex')}`);
  const file = await open(path, 'wx+', 0o600);
  try {
    await unlink(path);
    await writeAt(file, text);
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** Leaves the position where it is, for whoever inherits it. What the agent writes is ASCII. */
async function writeAt(file: FileHandle, text: string): Promise<void> {
  for (let start = 0; start < text.length; start += PIECE) {
    const piece = Buffer.from(text.slice(start, start + PIECE), 'latin1');
    for (let done = 0; done < piece.length; ) {
      const { bytesWritten } = await file.write(piece, done, piece.length - done, start + done);
      done += bytesWritten;
    }
  }
}
