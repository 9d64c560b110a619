/** The self-check of docs/sync.md: a stream's digest is the sum of its rows' digests, mod 2^53. */

const MODULUS = 2n ** 53n;

/** First 53 bits of SHA-256(`kind|id|rev`), the id in its usual lower-case spelling. */
export async function rowDigest(kind: string, id: string, rev: number): Promise<number> {
  const text = new TextEncoder().encode(`${kind}|${id.toLowerCase()}|${rev}`);
  const hash = new DataView(await crypto.subtle.digest("SHA-256", text));
  return Number(hash.getBigUint64(0) >> 11n);
}

/** Add up row digests. */
export function sumDigests(digests: Iterable<number>): number {
  let sum = 0n;
  for (const digest of digests) sum += BigInt(digest);
  return Number(sum % MODULUS);
}
