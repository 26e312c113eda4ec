import os
import signal

# Tests run beside each other, and torch's threads on shared cores cost more than they give.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# A job in the background of a script starts with Ctrl-C ignored, and so would all that it starts.
signal.signal(signal.SIGINT, signal.default_int_handler)
