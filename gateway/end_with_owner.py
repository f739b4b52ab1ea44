"""Becomes the program named by its arguments, after asking the kernel to end it when the process that started it ends.

Run by path as a script of its own: done between fork and exec of the owner instead, the same call would run gRPC's fork
handlers there, which abort the child now and then.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1

if __name__ == "__main__":
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    # Kept across exec. An owner that ended before the call is noticed by its number.
    if os.getppid() == int(sys.argv[1]):
        os.execv(sys.argv[2], sys.argv[2:])  # noqa: S606 - no shell is wanted
