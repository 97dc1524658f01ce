#!/usr/bin/env bash
# curl and openssl: one reading of the balances. The contract of these programs is in run.py.
# `openssl dgst -hmac` takes the secret as an argument, which every user of the machine may read. So HMAC-SHA256 is put together
# here from two plain digests (RFC 2104), and the key reaches curl on its standard input.
set -euo pipefail

bytes() { # the bytes that a hex text stands for
  printf '%b' "$(sed 's/../\\x&/g' <<<"$1")"
}

hmac() { # of a text, keyed with API_SECRET
  local secret inner="" outer="" place byte
  if ((${#API_SECRET} > 64)); then
    secret=$(printf '%s' "$API_SECRET" | openssl dgst -sha256 -r | cut -d' ' -f1)
  else
    secret=$(printf '%s' "$API_SECRET" | od -An -v -tx1 | tr -d ' \n')
  fi
  printf -v secret '%s%0128d' "$secret" 0 # a short secret ends in zero bytes
  for ((place = 0; place < 128; place += 2)); do
    byte=$((16#${secret:place:2}))
    inner+=$(printf '%02x' $((byte ^ 0x36)))
    outer+=$(printf '%02x' $((byte ^ 0x5c)))
  done
  inner=$({ bytes "$inner"; printf '%s' "$1"; } | openssl dgst -sha256 -r | cut -d' ' -f1)
  bytes "$outer$inner" | openssl dgst -sha256 -r | cut -d' ' -f1
}

query="timestamp=$(date +%s%3N)"
reply=$(
  curl --disable --silent --max-time 10 --config - <<END
url = "$BASE_URL/fapi/v3/balance?$query&signature=$(hmac "$query")"
header = "X-MBX-APIKEY: $API_KEY"
END
)
case $reply in
  '['*) printf '{"ok": true, "balances": %s}\n' "$reply" ;;
  *) printf '{"ok": false, "code": %s}\n' "$(sed 's/.*"code":\(-\{0,1\}[0-9]*\).*/\1/' <<<"$reply")" ;;
esac
