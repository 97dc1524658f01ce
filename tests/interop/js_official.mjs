// The exchange's own package for JavaScript: one reading of the balances. The contract of these programs is in run.py.
import { DerivativesTradingUsdsFutures } from "@binance/derivatives-trading-usds-futures";

const { BASE_URL, API_KEY, API_SECRET } = process.env;
const configurationRestAPI = { apiKey: API_KEY, apiSecret: API_SECRET, basePath: BASE_URL, timeout: 10_000 };
const client = new DerivativesTradingUsdsFutures({ configurationRestAPI });
try {
  const reply = await client.restAPI.futuresAccountBalanceV3();
  console.log(JSON.stringify({ ok: true, balances: await reply.data() }));
} catch (error) {
  console.log(JSON.stringify({ ok: false, code: error.code ?? null, error: error.name }));
}
