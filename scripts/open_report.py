"""Show a report in the browser where there is a screen; say where it is in any case."""

from __future__ import annotations

import os
import sys
import webbrowser
from pathlib import Path

report = Path(sys.argv[1]).resolve()
print(f"Report: {report}")
if sys.stdout.isatty() and (sys.platform in ("darwin", "win32") or os.environ.get("DISPLAY")):
    webbrowser.open(report.as_uri())
