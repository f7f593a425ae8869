/** An access token as it is stored: sealed, and of one version of its subscription. */
export type StoredToken = {
  subscriptionNo: number
  version: number
  tokenCipher: string
  expiresAtMs: number
}

/** Finds the sealed token of exactly this version of a subscription, unless it has expired. */
export async function findAccessToken(
  db: D1Database,
  wanted: { subscriptionNo: number; version: number; nowMs: number },
): Promise<string | null> {
  return await db
    .prepare(
      'SELECT token_cipher FROM access_token WHERE subscription_no = ?1 AND version = ?2 AND expires_at_ms > ?3',
    )
    .bind(wanted.subscriptionNo, wanted.version, wanted.nowMs)
    .first<string>('token_cipher')
}

/**
 * Keeps a token for all consumers in place of the last one. Writes nothing for a subscription that was
 * changed or deleted meanwhile: its credentials may have been withdrawn.
 */
export async function saveAccessToken(db: D1Database, token: StoredToken): Promise<void> {
  await db
    .prepare(
      `INSERT INTO access_token (subscription_no, version, token_cipher, expires_at_ms)
       SELECT no, version, ?3, ?4 FROM subscription WHERE no = ?1 AND version = ?2 AND deleted_at_ms IS NULL
       ON CONFLICT (subscription_no) DO UPDATE SET
         version = excluded.version, token_cipher = excluded.token_cipher, expires_at_ms = excluded.expires_at_ms`,
    )
    .bind(token.subscriptionNo, token.version, token.tokenCipher, token.expiresAtMs)
    .run()
}

/** Forgets a subscription's token: to be batched with its deletion. */
export function deleteAccessToken(db: D1Database, subscriptionNo: number): D1PreparedStatement {
  return db.prepare('DELETE FROM access_token WHERE subscription_no = ?1').bind(subscriptionNo)
}
