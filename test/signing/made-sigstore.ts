import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { initializeCA, initializeCTLog, initializeTLog } from '@sigstore/mock';

/** OID of the issuer in a certificate of Fulcio. */
const ISSUER = '1.3.6.1.4.1.57264.1.8';
const BEFORE = '2000-01-01T00:00:00.000Z';

/** What a log of signatures answers, as far as bundles hold it. */
interface LogEntry {
  readonly body: string;
  readonly integratedTime: number;
  readonly logID: string;
  readonly logIndex: number;
  readonly verification: {
    readonly signedEntryTimestamp: string;
    readonly inclusionProof: {
      readonly logIndex: number;
      readonly rootHash: string;
      readonly treeSize: number;
      readonly checkpoint: string;
    };
  };
}

type Parts = {
  readonly ca: Awaited<ReturnType<typeof initializeCA>>;
  readonly ctlog: Awaited<ReturnType<typeof initializeCTLog>>;
  readonly tlog: Awaited<ReturnType<typeof initializeTLog>>;
};

/** A sigstore of our own: a certificate authority, a log of certificates and a log of signatures. */
export class MadeSigstore {
  readonly #parts: Parts;

  private constructor(parts: Parts) {
    this.#parts = parts;
  }

  static async create(): Promise<MadeSigstore> {
    const pair = () => generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const ctlog = await initializeCTLog(pair());
    const ca = await initializeCA(generateKeyPairSync('ec', { namedCurve: 'P-384' }), ctlog);
    return new MadeSigstore({ ca, ctlog, tlog: await initializeTLog('https://rekor.test', pair()) });
  }

  /** JSON of the trusted root that vouches for it. */
  get trustedRoot(): string {
    const { ca, ctlog, tlog } = this.#parts;
    const log = (logId: Buffer, key: Buffer) => ({
      baseUrl: 'https://rekor.test',
      hashAlgorithm: 'SHA2_256',
      publicKey: {
        rawBytes: key.toString('base64'),
        keyDetails: 'PKIX_ECDSA_P256_SHA_256',
        validFor: { start: BEFORE },
      },
      logId: { keyId: logId.toString('base64') },
    });
    const logId = createHash('sha256').update(tlog.publicKey).digest();
    return JSON.stringify({
      mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
      tlogs: [log(logId, tlog.publicKey)],
      certificateAuthorities: [
        {
          subject: { organization: 'sigstore.mock', commonName: 'sigstore' },
          uri: 'https://ca.test',
          certChain: {
            certificates: [{ rawBytes: Buffer.from(ca.rootCertificate as Buffer).toString('base64') }],
          },
          validFor: { start: BEFORE },
        },
      ],
      ctlogs: [log(Buffer.from(ctlog.logID as Buffer), ctlog.publicKey)],
      timestampAuthorities: [],
    });
  }

  /**
   * What `cosign sign-blob --bundle` writes for somebody with an identity token.
   *
   * @param signed what is signed in truth, while certificate, log and digest speak of `bytes`
   */
  async signBlob(
    bytes: Buffer,
    who: { readonly issuer: string; readonly subject: string },
    signed = bytes,
  ): Promise<string> {
    const { ca, tlog } = this.#parts;
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const certificate = Buffer.from(
      (await ca.issueCertificate({
        publicKey: publicKey.export({ format: 'der', type: 'spki' }),
        subjectAltName: who.subject,
        extensions: [{ oid: ISSUER, value: who.issuer }],
      })) as Buffer,
    );
    const digest = createHash('sha256').update(bytes).digest();
    const signature = sign('sha256', signed, privateKey);
    const pem = `-----BEGIN CERTIFICATE-----\n${certificate.toString('base64')}\n-----END CERTIFICATE-----\n`;
    const logged = await tlog.log({
      apiVersion: '0.0.1',
      kind: 'hashedrekord',
      spec: {
        data: { hash: { algorithm: 'sha256', value: digest.toString('hex') } },
        signature: {
          content: signature.toString('base64'),
          publicKey: { content: Buffer.from(pem).toString('base64') },
        },
      },
    });
    const entry = Object.values(logged)[0] as LogEntry;
    const { inclusionProof: proof, signedEntryTimestamp } = entry.verification;
    return JSON.stringify({
      mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
      verificationMaterial: {
        certificate: { rawBytes: certificate.toString('base64') },
        tlogEntries: [
          {
            logIndex: String(entry.logIndex),
            logId: { keyId: Buffer.from(entry.logID, 'hex').toString('base64') },
            kindVersion: { kind: 'hashedrekord', version: '0.0.1' },
            integratedTime: String(entry.integratedTime),
            inclusionPromise: { signedEntryTimestamp },
            inclusionProof: {
              logIndex: String(proof.logIndex),
              rootHash: Buffer.from(proof.rootHash, 'hex').toString('base64'),
              treeSize: String(proof.treeSize),
              hashes: [],
              checkpoint: { envelope: proof.checkpoint },
            },
            canonicalizedBody: entry.body,
          },
        ],
      },
      messageSignature: {
        messageDigest: { algorithm: 'SHA2_256', digest: digest.toString('base64') },
        signature: signature.toString('base64'),
      },
    });
  }
}
