/** The bits of a sighash type. */
export const SIGHASH = { DEFAULT: 0, ALL: 1, NONE: 2, SINGLE: 3, ANYONECANPAY: 0x80 } as const;

/** ALL, NONE or SINGLE, as signatures before taproot choose it; whatever is neither NONE nor SINGLE is ALL. */
export const outputsCovered = (type: number): number => type & 0x1f;
export const anyoneCanPay = (type: number): boolean => (type & SIGHASH.ANYONECANPAY) !== 0;
