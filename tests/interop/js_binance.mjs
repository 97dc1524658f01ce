// npm's "binance": one reading of the balances. The contract of these programs is in run.py.
import { USDMClient } from "binance";

const { BASE_URL, API_KEY, API_SECRET } = process.env;
const client = new USDMClient({ api_key: API_KEY, api_secret: API_SECRET, baseUrl: BASE_URL, disableTimeSync: true });
try {
  console.log(JSON.stringify({ ok: true, balances: await client.getBalanceV3() }));
} catch (error) {
  console.log(JSON.stringify({ ok: false, code: error.code ?? null, error: error.constructor.name }));
}
