"""`python -m ganlab`, which launchers such as torchrun use."""

from ganlab.cli import main

if __name__ == "__main__":
    main()
