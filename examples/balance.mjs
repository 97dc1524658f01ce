// Print the balances of one account, with Node 20 or newer and no package:
//
//     binance-usdm mock run -- node examples/balance.mjs
//
// Amounts stay the strings that the exchange sent: a JavaScript number would round them.
import { createHmac } from "node:crypto";

const { BINANCE_BASE_URL, BINANCE_API_KEY, BINANCE_API_SECRET } = process.env;

const query = new URLSearchParams({ recvWindow: "5000", timestamp: String(Date.now()) }).toString();
const signature = createHmac("sha256", BINANCE_API_SECRET).update(query).digest("hex");
const response = await fetch(`${BINANCE_BASE_URL}/fapi/v3/balance?${query}&signature=${signature}`, {
  headers: { "X-MBX-APIKEY": BINANCE_API_KEY },
  redirect: "error", // the key goes to no other host
  signal: AbortSignal.timeout(10_000),
});
const body = await response.json();
if (response.ok) {
  for (const row of body) console.log(row.asset, row.balance);
} else {
  console.error(`HTTP ${response.status}, code ${body.code}: ${body.msg}`);
  process.exitCode = 1;
}
