import type { Fee } from "../../protocol/tx/spend.js";
import type { Context } from "./context.js";

/** A tenth of what is spent is more fee than anybody means; --feerate is easily given in sat/vB, which is 250 times as much. */
export function warnOfFee(ctx: Context, { fee, amount }: Pick<Fee, "fee" | "amount">): void {
  const total = fee + amount;
  if (fee * 10n > total) ctx.warn(`the fee of ${fee} sat is more than a tenth of ${total} sat: --feerate is in sat per 1000 weight units`);
}
