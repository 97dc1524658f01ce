"""What a call costs, here and with other clients: `make bench`. No part of the package that is installed."""
