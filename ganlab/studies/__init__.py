"""What looks at many runs: their list, tables over them, pages about them. Reads run folders, never training code."""
