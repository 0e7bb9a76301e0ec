"""HTML reports with figures, tables and audio."""
