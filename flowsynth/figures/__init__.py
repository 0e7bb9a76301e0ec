"""Figures, one module each, drawn in one style as PDF and PNG.

``plot`` makes a figure from data. ``draw_NAME`` makes it from the files of the workflow's rule of that name; its arguments
are inputs, parameters and wildcards of the rule, by name.
"""
