"""Runs a program in a pseudo-terminal, as a person would.

  terminal.py COLUMNSxROWS COMMAND... < STEPS

Each line of STEPS is one of
  send TEXT       types it; escapes such as \\t and \\x03 are those of Python
  expect TEXT     waits until the program has shown it since the step before
  size CxR        gives the terminal another size
  run COMMAND     runs a line of shell beside the program
Then it waits for the program's end. Prints what was shown, and ends with the program's exit code,
128 + the signal's number where one ended it, or 99 where something did not come for a minute.
"""
import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time

LIMIT = 60


class Terminal:
    def __init__(self, size, command):
        self.shown = b""
        self.seen = 0
        self.child, self.master = pty.fork()
        if self.child == 0:
            signal.raise_signal(signal.SIGSTOP)  # until the terminal has its size
            os.execvp(command[0], command)
        os.waitpid(self.child, os.WUNTRACED)
        self.resize(size)
        os.kill(self.child, signal.SIGCONT)

    def resize(self, size):
        columns, rows = map(int, size.split("x"))
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def read(self, until):
        """Reads what comes; false at the end, and where the time is over."""
        ready, _, _ = select.select([self.master], [], [], max(0, until - time.monotonic()))
        try:
            block = os.read(self.master, 65536) if ready else b""
        except OSError:  # the program closed it
            block = b""
        self.shown += block
        return bool(block)

    def expect(self, text):
        until = time.monotonic() + LIMIT
        while (found := self.shown.find(text, self.seen)) < 0:
            if not self.read(until):
                self.fail(f"did not show {text!r}")
        self.seen = found + len(text)

    def fail(self, why):
        sys.stdout.buffer.write(self.shown)
        print(f"\nterminal.py: {why}", flush=True)
        os.kill(self.child, signal.SIGKILL)
        sys.exit(99)

    def end(self):
        until = time.monotonic() + LIMIT
        while self.read(until):
            pass
        if time.monotonic() >= until:
            self.fail("the program did not end")
        sys.stdout.buffer.write(self.shown)
        code = os.waitstatus_to_exitcode(os.waitpid(self.child, 0)[1])
        return code if code >= 0 else 128 - code


def main():
    terminal = Terminal(sys.argv[1], sys.argv[2:])
    for line in sys.stdin:
        step, _, text = line.rstrip("\n").partition(" ")
        if step == "send":
            os.write(terminal.master, text.encode().decode("unicode_escape").encode("latin-1"))
        elif step == "expect":
            terminal.expect(text.encode().decode("unicode_escape").encode("latin-1"))
        elif step == "size":
            terminal.resize(text)
        elif step == "run":
            subprocess.run(text, shell=True, check=True)
        else:
            terminal.fail(f"unknown step {step}")
    sys.exit(terminal.end())


main()
