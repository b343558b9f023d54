"""Where a run's numbers and pictures go: lines of JSON, W&B, TensorBoard, the terminal."""
