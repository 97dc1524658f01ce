# Written by `python -m generator` from spec/openapi.yaml. Do not edit.
