/** What can be explained. */
export const SUBJECTS = ["transaction", "message", "script", "psbt", "state"] as const;
export type Subject = (typeof SUBJECTS)[number];
