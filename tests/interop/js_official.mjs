// The exchange's own package for JavaScript: one reading of the balances. The contract of these programs is in run.py.
import { DerivativesTradingUsdsFutures } from "@binance/derivatives-trading-usds-futures";

const { BINANCE_BASE_URL, BINANCE_API_KEY, BINANCE_API_SECRET } = process.env;
const configurationRestAPI = { apiKey: BINANCE_API_KEY, apiSecret: BINANCE_API_SECRET, basePath: BINANCE_BASE_URL, timeout: 10_000 };
const client = new DerivativesTradingUsdsFutures({ configurationRestAPI });
try {
  const reply = await client.restAPI.futuresAccountBalanceV3();
  console.log(JSON.stringify({ ok: true, balances: await reply.data() }));
} catch (error) {
  console.log(JSON.stringify({ ok: false, code: error.code ?? null, error: error.name }));
}
