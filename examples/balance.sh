#!/usr/bin/env bash
# Print the balances of one account, with bash, GNU date, openssl and curl:
#
#     binance-usdm mock run -- bash examples/balance.sh
#
# BINANCE_BASE_URL, BINANCE_API_KEY and BINANCE_API_SECRET come from the environment. Every user of
# a machine can read the arguments of a program, so `openssl dgst -hmac SECRET` is not used: HMAC is
# made of two plain digests (RFC 2104), and the key reaches curl by its standard input.
set -euo pipefail

sha256() {
  openssl dgst -sha256 -r | cut -d' ' -f1
}

decode_hex() {
  printf '%b' "$(sed 's/../\\x&/g' <<<"$1")"
}

# The HMAC-SHA256 of a text with the API secret, in hexadecimal digits.
sign() {
  local key inner="" outer="" place byte
  if ((${#BINANCE_API_SECRET} > 64)); then
    key=$(printf '%s' "$BINANCE_API_SECRET" | sha256)
  else
    key=$(printf '%s' "$BINANCE_API_SECRET" | od -An -v -tx1 | tr -d ' \n')
  fi
  printf -v key '%s%0128d' "$key" 0
  for ((place = 0; place < 128; place += 2)); do
    byte=$((16#${key:place:2}))
    inner+=$(printf '%02x' $((byte ^ 0x36)))
    outer+=$(printf '%02x' $((byte ^ 0x5c)))
  done
  inner=$({ decode_hex "$inner"; printf '%s' "$1"; } | sha256)
  decode_hex "$outer$inner" | sha256
}

query="timestamp=$(date +%s%3N)"
curl --disable --silent --show-error --max-time 10 --config - <<END
url = "$BINANCE_BASE_URL/fapi/v3/balance?$query&signature=$(sign "$query")"
header = "X-MBX-APIKEY: $BINANCE_API_KEY"
END
