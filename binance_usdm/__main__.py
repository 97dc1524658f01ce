"""`python -m binance_usdm` is `binance-usdm`."""

import sys

from binance_usdm_command import main

sys.exit(main())
