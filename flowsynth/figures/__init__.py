"""Figures, one module each, drawn in one style as PDF and PNG.

``plot`` makes a figure from data, ``draw_NAME`` from files. The rule ``draw_NAME`` of the workflow calls the latter; its
inputs, parameters and wildcards are arguments of the same names.
"""
