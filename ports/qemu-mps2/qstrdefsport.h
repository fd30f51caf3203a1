// The names that main.c runs.
Q(boot)
Q(main.py)
