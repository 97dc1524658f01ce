"""`python -m binance_usdm` is `binance-usdm`."""

import sys

from ._cli.main import main

sys.exit(main())
