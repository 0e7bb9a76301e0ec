"""Models without training that say how easy the task is: floors and ceilings."""
