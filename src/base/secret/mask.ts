/** What answers and logs show in place of a credential. */
export const MASK = '********'
