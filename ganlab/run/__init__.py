"""One run: its folder, its processes, and the callbacks through which Lightning's loop serves it."""
