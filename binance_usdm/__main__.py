"""`python -m binance_usdm` is `binance-usdm`."""

import sys

from ._cli import main

sys.exit(main())
