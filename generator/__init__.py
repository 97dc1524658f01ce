"""Spec in, client out: reads spec/openapi.yaml and writes generated_client/binance_usdm_wire. Never shipped, never imported by the SDK."""
