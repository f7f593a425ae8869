/** Large event texts in R2, under random keys held in the event's row (claim check). */

/** Stores a text; the key must be new. */
export async function putBody(bucket: R2Bucket, key: string, text: string): Promise<void> {
  await bucket.put(key, text)
}

/** Reads a text's bytes; null when the object is missing. */
export async function getBody(bucket: R2Bucket, key: string): Promise<Uint8Array | null> {
  const object = await bucket.get(key)
  return object === null ? null : new Uint8Array(await object.arrayBuffer())
}

/** Removes texts that no event refers to. */
export async function deleteBodies(bucket: R2Bucket, keys: readonly string[]): Promise<void> {
  if (keys.length > 0) await bucket.delete([...keys])
}
