#include "framework/cli/live.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "framework/cli/terminal.h"

namespace vitrine {
namespace {

using SteadyClock = std::chrono::steady_clock;

volatile std::sig_atomic_t was_resized = 0, was_suspended = 0;
extern "C" void note_size(int) { was_resized = 1; }
extern "C" void note_suspension(int) { was_suspended = 1; }

void on_signal(int signal, void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  sigaction(signal, &action, nullptr);
}

winsize size_of_terminal() {
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0) {
    size.ws_col = 80;
    size.ws_row = 24;
  }
  return size;
}

// Throws Error(kFailed) where what was shown did not arrive.
void end_without_reader() {
  pollfd output = {STDOUT_FILENO, 0, 0};
  if (poll(&output, 1, 0) == 1 && (output.revents & POLLERR) != 0) {
    std::signal(SIGPIPE, SIG_DFL);
    raise(SIGPIPE);
  }
  if (std::ferror(stdout) == 0) return;
  throw Error(ExitCode::kFailed, "what was printed could not be written to standard output");
}

}  // namespace

bool wait_until(SteadyClock::time_point until, bool for_reader) {
  constexpr auto kMoment = std::chrono::milliseconds(100);
  for (;;) {
    if (requested_stop() != ExitCode::kDone) return false;
    if (for_reader) end_without_reader();
    const auto left = until - SteadyClock::now();
    if (left.count() <= 0 || was_resized || was_suspended) return true;
    const auto next = std::min<SteadyClock::duration>(left, kMoment);
    const timespec pause = {0, std::chrono::duration_cast<std::chrono::nanoseconds>(next).count()};
    nanosleep(&pause, nullptr);
  }
}

SteadyClock::time_point next_look(SteadyClock::time_point begun) {
  constexpr int kShare = 4;  // of the time, at most, is spent looking
  const auto taken = SteadyClock::now() - begun;
  return begun + std::max<SteadyClock::duration>(std::chrono::seconds(1), taken * kShare);
}

Screen::Screen() {
  on_signal(SIGWINCH, note_size);
  on_signal(SIGTSTP, note_suspension);
  enter();
}

Screen::~Screen() {
  on_signal(SIGTSTP, SIG_DFL);
  leave();
}

// The other screen, no cursor, and lines that are cut where the terminal ends.
void Screen::enter() { std::fputs("\033[?1049h\033[?25l\033[?7l", stdout); }

void Screen::leave() {
  std::fputs("\033[?7h\033[?25h\033[?1049l", stdout);
  std::fflush(stdout);
}

void Screen::show(const std::vector<std::string>& lines) {
  if (was_suspended) {  // by Ctrl-Z; the shell gets its own screen
    was_suspended = 0;
    leave();
    raise(SIGSTOP);
    enter();
  }
  was_resized = 0;
  std::string frame = "\033[H";
  for (size_t i = 0; i < lines.size(); ++i) frame += (i ? "\r\n" : "") + lines[i] + "\033[K";
  std::fputs((frame + "\033[J").c_str(), stdout);
  std::fflush(stdout);
}

size_t Screen::width() { return size_of_terminal().ws_col; }
size_t Screen::height() { return size_of_terminal().ws_row; }

}  // namespace vitrine
