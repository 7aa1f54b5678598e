"""Which layer transfers? Stable ranks and the freeze depth that they advise."""
