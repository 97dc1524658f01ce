"""What the OpenAPI document says about operations, parameters and responses."""
