"""`python -m binance_usdm` is `binance-usdm`."""

import sys

from binance_usdm._cli.main import main

sys.exit(main())
