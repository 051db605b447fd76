/** Whether a text is a PSBT by its first bytes, in base64 or hex: asked without the library that reads one. */
export function looksLikePsbt(text: string): boolean {
  return text.startsWith("cHNidP") || /^70736274ff/i.test(text);
}
