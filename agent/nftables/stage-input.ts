import { randomBytes } from 'node:crypto';
import { type FileHandle, open, unlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** /dev/shm is memory, and writable even where the root file system isn't. */
const FOLDERS = ['/dev/shm', tmpdir()];
const PIECE = 1 << 20;

/**
 * A file without a name that holds the text, to be read from its beginning. From a pipe nft would take what has arrived when
 * the agent is killed for all there is: emptied maps, say, and a part of what is to fill them. Null: no folder takes it.
 */
export async function stageInput(text: string): Promise<FileHandle | null> {
  for (const folder of FOLDERS) {
    const file = await openNameless(folder);
    if (file === null) continue;
    try {
      await writeAt(file, text);
      return file;
    } catch {
      await file.close();
    }
  }
  return null;
}

async function openNameless(folder: string): Promise<FileHandle | null> {
  const path = join(folder, `fairlead-${randomBytes(8).toString('hex')}`);
  try {
    const file = await open(path, 'wx+', 0o600);
    await unlink(path);
    return file;
  } catch {
    return null;
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
