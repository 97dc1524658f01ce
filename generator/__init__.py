"""Generate generated_client/binance_usdm_wire from spec/openapi.yaml."""
