// npm's "binance": one reading of the balances. The contract of these programs is in run.py.
import { USDMClient } from "binance";

const { BINANCE_BASE_URL, BINANCE_API_KEY, BINANCE_API_SECRET } = process.env;
const client = new USDMClient({ api_key: BINANCE_API_KEY, api_secret: BINANCE_API_SECRET, baseUrl: BINANCE_BASE_URL, disableTimeSync: true });
try {
  console.log(JSON.stringify({ ok: true, balances: await client.getBalanceV3() }));
} catch (error) {
  console.log(JSON.stringify({ ok: false, code: error.code ?? null, error: error.constructor.name }));
}
