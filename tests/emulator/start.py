"""Runs ministack in a session of its own until standard input ends, and takes the functions that it started with it.

So nothing is left running, even if the test is killed: then its end of the pipe closes too."""

import os
import signal
import sys
import threading

from ministack.app import main


def end():
    sys.stdin.read()
    os.killpg(0, signal.SIGKILL)


os.setsid()
threading.Thread(target=end, daemon=True).start()
main()
