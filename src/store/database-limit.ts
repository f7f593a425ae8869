/** Most bytes of one D1 database: 10 GB, read as the smaller of the two meanings. */
export const DATABASE_BYTES_MAX = 10_000_000_000
