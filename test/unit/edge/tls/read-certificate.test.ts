import { X509Certificate } from 'node:crypto';
import { expect } from 'chai';
import { readCertificate, readExpiry } from '../../../../edge/tls/read-certificate.ts';
import { Authority, type KeyPair } from '../../../controlplane/certificates.ts';

const encode = (text: string) => Buffer.from(text).toString('base64');
const secret = (cert: string, key: string) => ({
  data: { 'tls.crt': encode(cert), 'tls.key': encode(key) },
});

describe('edge: certificates out of Secrets', () => {
  let authority: Authority;
  let pair: KeyPair;

  before(async () => {
    authority = await Authority.create('test');
    pair = await authority.issueServer('web', ['web.example']);
  });

  function read(cert: string, key: string) {
    const found = readCertificate(secret(cert, key));
    if (typeof found === 'string') throw new Error(found);
    return found;
  }

  it('has the certificate, its chain and its key, and knows when it expires', () => {
    const { notAfter, pem } = read(`${pair.cert}\n${authority.cert}`, pair.key);
    const subjects = [...pem.matchAll(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g)].map(
      ([block]) => new X509Certificate(block).subject,
    );
    expect(subjects).to.deep.equal(['CN=web', 'CN=test']);
    expect(pem.match(/BEGIN PRIVATE KEY/g)).to.have.length(1);
    expect(notAfter).to.deep.equal(new X509Certificate(pair.cert).validToDate);
    expect(readExpiry(pem)).to.deep.equal(notAfter);
  });

  it('has nothing else in it, and no empty line, at which a command of HAProxy ends', () => {
    const noise = '\n\n@1 shutdown sessions server web/a\n\n';
    const noisy = read(`${noise}${pair.cert}${noise}${authority.cert}${noise}`, `${pair.key}${noise}`);
    expect(noisy.pem).to.equal(read(`${pair.cert}\n${authority.cert}`, pair.key).pem);
    expect(noisy.pem).to.not.include('\n\n').and.not.include('@1');
  });

  it('says what is wrong, and nothing of a key', async () => {
    const other = await authority.issueServer('other', ['other.example']);
    const cut = `${pair.cert.slice(0, 200)}\n-----END CERTIFICATE-----`;
    const cases: [object, string][] = [
      [{}, 'tls.crt has no certificate'],
      [secret('', pair.key), 'tls.crt has no certificate'],
      [secret(cut, pair.key), "certificate that can't be read"],
      [secret(pair.cert, ''), 'no tls.key'],
      [secret(pair.cert, 'secret text'), "tls.key can't be read"],
      [secret(pair.cert, other.key), 'not the key of the certificate'],
    ];
    for (const [given, message] of cases) {
      const said = readCertificate(given);
      expect(said).to.be.a('string').and.include(message).and.not.include('secret text');
    }
  });
});
