"""How types and shapes are checked in tests: as beartype does, but an int is good where a float is asked for."""

from beartype import BeartypeConf, beartype

check = beartype(conf=BeartypeConf(is_pep484_tower=True))
