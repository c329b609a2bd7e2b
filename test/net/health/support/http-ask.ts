import { connect } from 'node:net';

export interface Answer {
  /** `HTTP/1.1 200 OK`. */
  status: string;
  /** Lines, sorted, as they were written; without the date. */
  headers: string[];
  body: string;
}

/** What a server says to a request, byte for byte. Rejects as connecting does. */
export async function ask(host: string, port: number, request = 'GET / HTTP/1.1'): Promise<Answer> {
  const text = await exchange(host, port, `${request}\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
  const [head = '', ...rest] = text.split('\r\n\r\n');
  const [status = '', ...headers] = head.split('\r\n');
  return {
    status,
    headers: headers.filter((line) => !line.startsWith('Date:')).sort(),
    body: rest.join('\r\n\r\n'),
  };
}

function exchange(host: string, port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = connect({ host, port }, () => socket.write(text));
    socket.setTimeout(5_000, () => socket.destroy(new Error(`${host} ${port} says nothing`)));
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.once('error', reject);
    socket.once('end', () => resolve(Buffer.concat(chunks).toString()));
  });
}
