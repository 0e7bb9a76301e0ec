"""Figures, a module each with one function ``draw``; all are drawn from files, in one style, as PDF and PNG."""
