// The mock exchange from another language: node docs/mock-admin.mjs [http://127.0.0.1:8787], served with the admin interface on.
import { createHmac } from "node:crypto";

const base = process.argv[2] ?? process.env.MOCK_URL ?? "http://127.0.0.1:8787";
const [key, secret] = ["node-example-key", "node-example-secret-opens-nothing"]; // fake, for the mock only
const admin = async (method, resource, body) => {
  const headers = body && { "Content-Type": "application/json" };
  const reply = await fetch(`${base}/__admin/${resource}`, { method, headers, body: body && JSON.stringify(body) });
  if (!reply.ok) throw new Error((await reply.json()).error);
  return reply.json();
};
const balance = () => {
  const query = `timestamp=${Date.now()}`;
  const signature = createHmac("sha256", secret).update(query).digest("hex");
  return fetch(`${base}/fapi/v3/balance?${query}&signature=${signature}`, { headers: { "X-MBX-APIKEY": key } });
};

await admin("POST", "accounts", { api_key: key, api_secret: secret });
await admin("POST", "replies", { operation: "balance", api_key: key, text: '[{"asset":"USDT","balance":"12.34"}]' });
const good = await balance();
for (const row of await good.json()) console.log(`${good.status}: ${row.balance} ${row.asset}`);
await admin("POST", "faults", { fault: "rate-limited", operation: "balance" });
const limited = await balance();
console.log(`${limited.status}: Retry-After ${/^[0-9]+$/.test(limited.headers.get("retry-after")) ? "in seconds" : "missing"}`);
for (const each of (await admin("GET", "requests")).requests) {
  const verdict = each.refusal || (each.fault ? `good, answered with ${each.fault}` : "good");
  console.log(each.number, each.method, each.path, each.status, verdict);
}
