"""Presets to audio: plugins, and how they are played so that each rendering is the same bits."""
