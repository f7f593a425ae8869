/** An event that waits in the publisher's database. */
export type OutboxRow = {
  /** Its place: rows are published from the lowest up. */
  no: number
  id: string
  /** The event as it is published, its id included. */
  body: string
}

/** A row to be written. */
export type NewRow = Omit<OutboxRow, 'no'>

/** Who publishes now, and until when others leave it to them. */
export type Lease = { owner: string; nowMs: number; untilMs: number }

/** An event that the relay refused for good. */
export type Rejected = { no: number; reason: string }

/** A database that holds the table. Each call is one statement, and can be repeated. */
export type OutboxStore = {
  createTables(): Promise<void>
  /** Takes the lease where it is free, over, or the owner's already; false where another has it. */
  lease(lease: Lease): Promise<boolean>
  release(owner: string): Promise<void>
  /** The oldest rows that are not rejected. */
  oldest(rowsMax: number): Promise<OutboxRow[]>
  remove(nos: readonly number[]): Promise<void>
  /** Sets a row aside, for a person to look at. */
  reject(rejected: Rejected): Promise<void>
}
