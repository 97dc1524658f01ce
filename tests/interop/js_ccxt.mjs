// ccxt for JavaScript: one reading of the balances. The contract of these programs is in run.py.
import ccxt from "ccxt";

const { BINANCE_BASE_URL, BINANCE_API_KEY, BINANCE_API_SECRET } = process.env;
const exchange = new ccxt.binance({ apiKey: BINANCE_API_KEY, secret: BINANCE_API_SECRET });
exchange.urls.api.fapiPrivateV3 = `${BINANCE_BASE_URL}/fapi/v3`;
exchange.options.recvWindow = 5000; // its own 10000 would let a clock pass that is ten seconds late
try {
  const rows = await exchange.fapiPrivateV3GetBalance(); // the endpoint itself: fetchBalance reads /fapi/v3/account
  for (const row of rows) row.updateTime = Number(row.updateTime); // it makes text of every number
  console.log(JSON.stringify({ ok: true, balances: rows }));
} catch (error) {
  const code = /"code":(-?\d+)/.exec(error.message);
  console.log(JSON.stringify({ ok: false, code: code && Number(code[1]), error: error.constructor.name }));
}
