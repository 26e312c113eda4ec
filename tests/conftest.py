import os

# Tests run beside each other, and torch's threads on shared cores cost more than they give.
os.environ.setdefault("OMP_NUM_THREADS", "1")
