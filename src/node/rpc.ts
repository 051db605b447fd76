import { request } from "node:http";
import { LnError } from "../protocol/errors.js";

/** Where a node answers, and with what it is asked. */
export interface Endpoint {
  readonly url: URL;
  /** Secret: `user:password`. */
  readonly credentials: string;
  /** How long an answer may take, in seconds. */
  readonly timeout: number;
}

/** Bitcoin Core's JSON-RPC. */
export interface Rpc {
  /**
   * What the node answers.
   * Throws: busy-node-unreachable, busy-node-timeout, busy-node-starting, usage-node-credentials, input-node-answer; state-node-refused with the node's
   * own words in `reason`.
   */
  call(method: string, ...params: readonly unknown[]): Promise<unknown>;
}

/** Far more than the largest block in hex. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;
/** Bitcoin Core's RPC_IN_WARMUP. */
const IN_WARMUP = -28;
/** A node whose queue of calls is full. */
const SERVICE_UNAVAILABLE = 503;

interface Answer {
  readonly status: number;
  readonly body: string;
}

/** Secret in: the credentials, which no refusal repeats. */
export function connect({ url, credentials, timeout }: Endpoint): Rpc {
  return {
    async call(method, ...params) {
      const { status, body } = await post({ url, credentials, timeout }, JSON.stringify({ jsonrpc: "1.0", id: method, method, params }));
      if (status === 401 || status === 403) {
        throw new LnError("usage-node-credentials", `the node at ${url.host} does not take these credentials`, { node: url.host, status });
      }
      if (status === SERVICE_UNAVAILABLE) throw starting(url, "its queue of calls is full");
      return resultOf(body, { method, node: url.host, status });
    },
  };
}

function post({ url, credentials, timeout }: Endpoint, body: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const details = { node: url.host };
    const outgoing = request(
      url,
      {
        method: "POST",
        auth: credentials,
        signal: AbortSignal.timeout(timeout * 1000),
        agent: false,
        headers: { "content-type": "application/json", "content-length": new TextEncoder().encode(body).length },
      },
      (response) => {
        const chunks: Uint8Array[] = [];
        let size = 0;
        response.on("data", (chunk: Uint8Array) => {
          chunks.push(chunk);
          size += chunk.length;
          if (size > MAX_ANSWER_BYTES) response.destroy(new LnError("input-node-answer", `the node at ${url.host} answers without end`, details));
        });
        response.on("error", fail);
        response.on("end", () => {
          resolve({ status: response.statusCode ?? 0, body: textOf(chunks, size) });
        });
      },
    );
    outgoing.on("error", fail);
    outgoing.end(body);

    function fail(error: Error): void {
      if (error instanceof LnError) reject(error);
      else if (error.name === "TimeoutError" || error.name === "AbortError")
        reject(new LnError("busy-node-timeout", `the node at ${url.host} has not answered within ${timeout} s`, { ...details, timeout_s: timeout }));
      else {
        const reason = "code" in error && typeof error.code === "string" ? error.code : "unknown reason";
        reject(new LnError("busy-node-unreachable", `no node answers at ${url.host}: ${reason}`, { ...details, reason }));
      }
    }
  });
}

function textOf(chunks: readonly Uint8Array[], size: number): string {
  const all = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.length;
  }
  return new TextDecoder().decode(all);
}

function starting(url: Pick<URL, "host">, reason: string): LnError {
  return new LnError("busy-node-starting", `the node at ${url.host} is not ready: ${reason}`, { node: url.host, reason });
}

/** Throws: input-node-answer, busy-node-starting, state-node-refused. */
function resultOf(body: string, { method, node, status }: { readonly method: string; readonly node: string; readonly status: number }): unknown {
  let answer: unknown;
  try {
    answer = JSON.parse(body);
  } catch {
    answer = undefined;
  }
  if (typeof answer !== "object" || answer === null || !("result" in answer || "error" in answer)) {
    throw new LnError("input-node-answer", `what answers at ${node} (HTTP ${status}) is no node's JSON-RPC`, { node, method, status });
  }
  const { result, error } = answer as { readonly result?: unknown; readonly error?: unknown };
  if (error === null || error === undefined) return result;
  const { code, message } = error as { readonly code?: unknown; readonly message?: unknown };
  const reason = typeof message === "string" ? message : "no reason given";
  if (code === IN_WARMUP) throw starting({ host: node }, reason);
  throw new LnError("state-node-refused", `the node refuses ${method}: ${reason}`, {
    method,
    reason,
    rpc_code: typeof code === "number" ? code : null,
  });
}
