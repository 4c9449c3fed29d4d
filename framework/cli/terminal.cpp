#include "framework/cli/terminal.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <limits>

#include "framework/config/scalar.h"
#include "framework/files/json.h"
#include "framework/sweeps/launcher.h"

namespace vitrine {
namespace {

bool is_silent = false;
bool ends_when_saved = false;  // on a batch system, whose signals may come again
volatile std::sig_atomic_t received_signal = 0;
// Of the first that asked to stop; 0: none has.
volatile std::sig_atomic_t received_at = 0;

// A terminal that is closed sends SIGHUP twice, by its shell and by the kernel, and a program such
// as timeout or a batch system may repeat what it sent: only a person who asks again, with SIGINT
// or SIGTERM at least a second later, wants the process to end at once.
extern "C" void note_signal(int signal) {
  const int kept_errno = errno;
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  const auto milliseconds =
      static_cast<std::sig_atomic_t>(now.tv_sec % 1'000'000 * 1000 + now.tv_nsec / 1'000'000 + 1);
  const bool asks_again = received_at != 0 && milliseconds - received_at >= 1000;
  if (asks_again && (signal == SIGINT || signal == SIGTERM) && !ends_when_saved) {
    std::signal(signal, SIG_DFL);
    raise(signal);
  }
  if (received_at == 0) received_at = milliseconds;
  if (received_signal == 0) received_signal = signal;
  errno = kept_errno;
}

}  // namespace

size_t terminal_width() {
  winsize size{};
  return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 20 ? size.ws_col : 80;
}

std::string duration(double seconds) {
  if (!std::isfinite(seconds) || seconds > 360000) return "a long time";
  const auto whole = static_cast<int64_t>(std::ceil(seconds));
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{} min {:02} s", whole / 60, whole % 60);
  return fmt::format("{} h {:02} min", whole / 3600, whole / 60 % 60);
}

bool is_terminal(int descriptor) {
  const char* term = std::getenv("TERM");
  return isatty(descriptor) && !(term && std::string(term) == "dumb");
}

std::string coloured(const std::string& text, const char* colour, int descriptor) {
  const char* no_color = std::getenv("NO_COLOR");
  if ((no_color && *no_color) || !is_terminal(descriptor)) return text;
  return fmt::format("\033[{}m{}\033[0m", colour, text);
}

void print_nothing() { is_silent = true; }

void print(const std::string& text) {
  if (is_silent) return;
  std::fputs((text + "\n").c_str(), stdout);
  std::fflush(stdout);
}

void print_aside(const std::string& text) {
  if (!is_silent) std::fputs((text + "\n").c_str(), stderr);
}

void print_json(const nlohmann::ordered_json& value) { print(json_text(value)); }

void print_error(const std::string& text) {
  if (is_silent) return;
  std::fputs((coloured("error:", "31", STDERR_FILENO) + " " + text + "\n").c_str(), stderr);
}

void print_warning(const std::string& text) {
  if (is_silent) return;
  std::fputs((coloured("warning:", "33", STDERR_FILENO) + " " + text + "\n").c_str(), stderr);
}

size_t output_width() {
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  const char* columns = std::getenv("COLUMNS");
  const long wanted = columns ? std::strtol(columns, nullptr, 10) : 0;
  return wanted > 0 ? static_cast<size_t>(wanted) : std::numeric_limits<size_t>::max();
}

std::string terminal_table(const std::vector<std::vector<std::string>>& rows, int descriptor) {
  const bool is_aside = descriptor == STDERR_FILENO && isatty(descriptor);
  return fitted(table_columns(rows), is_aside ? terminal_width() : output_width()).text;
}

void install_signal_handlers() {
  struct sigaction action {};
  action.sa_handler = note_signal;
  ends_when_saved = std::getenv(kBatchVariable) != nullptr;
  for (int signal : {SIGINT, SIGTERM, SIGUSR1, SIGHUP}) {
    struct sigaction before {};
    sigaction(signal, nullptr, &before);
    // nohup has a run outlive its terminal.
    if (signal != SIGHUP || before.sa_handler != SIG_IGN) sigaction(signal, &action, nullptr);
  }
  // A reader that went away must not end a run: writing fails instead.
  std::signal(SIGPIPE, SIG_IGN);
}

void end_with_parent() {
  const char* parent = std::getenv(kParentVariable);
  if (!parent) return;
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  // It may have died before that.
  if (std::to_string(getppid()) != parent) std::raise(SIGTERM);
}

Console::~Console() { clear_bar(); }

void Console::clear_bar() {
  if (bar_shown_) std::fputs("\r\033[K", stderr);
  bar_shown_ = false;
}

void Console::message(const std::string& text) {
  clear_bar();
  if (!quiet_) print(escape_lines(text));
}

void Console::warning(const std::string& text) {
  clear_bar();
  print_warning(escape_lines(text));
}

void Console::show(const std::string& bar, const std::string& line) {
  using Seconds = std::chrono::duration<double>;
  const auto now = std::chrono::steady_clock::now();
  const bool terminal = is_terminal(STDERR_FILENO);
  const double interval = terminal ? 0.1 : 10;
  if (shown_.time_since_epoch().count() == 0 && !terminal)
    shown_ = now;  // the first line after an interval
  if (quiet_ || is_silent || Seconds(now - shown_).count() < interval) return;
  shown_ = now;
  if (!terminal) {
    print(line);
    return;
  }
  std::fputs(("\r\033[K" + bar).c_str(), stderr);
  std::fflush(stderr);
  bar_shown_ = true;
}

void Console::progress(const Progress& p) {
  const std::string words =
      fmt::format("epoch {}/{}  step {}/{}  loss {}  {} images/s  {} left", p.epoch, p.epochs,
                  p.step, p.total_steps, fixed_text(p.loss, 4),
                  grouped(std::llround(p.images_per_second)), duration(p.seconds_left));
  const size_t width = terminal_width();
  const size_t room = width > words.size() + 5 ? std::min<size_t>(width - words.size() - 5, 30) : 0;
  const double share =
      static_cast<double>(p.step) / static_cast<double>(std::max<int64_t>(p.total_steps, 1));
  const auto filled = static_cast<size_t>(share * static_cast<double>(room));
  const std::string bar =
      room < 5 ? words.substr(0, width - 1)
               : "[" + std::string(filled, '#') + std::string(room - filled, ' ') + "] " + words;
  show(bar, words);
}

void Console::download(uint64_t received, uint64_t total) {
  const double mega = 1e6;
  const std::string words =
      total ? fmt::format("downloading {:.1f} of {:.1f} MB", static_cast<double>(received) / mega,
                          static_cast<double>(total) / mega)
            : fmt::format("downloading {:.1f} MB", static_cast<double>(received) / mega);
  show(words, words);
}

void Console::reading(int64_t images, int64_t all) {
  if (images >= all) return clear_bar();
  if (!is_terminal(STDERR_FILENO)) return;
  const std::string words = fmt::format("reading {} of {} images", grouped(images), grouped(all));
  show(words, words);
}

ExitCode Console::stop_requested() { return requested_stop(); }

ExitCode requested_stop() {
  switch (received_signal) {
    case SIGINT:
      return ExitCode::kInterrupted;
    case SIGTERM:
    case SIGHUP:
      return ExitCode::kTerminated;
    case SIGUSR1:
      return ExitCode::kStopped;
    default:
      return ExitCode::kDone;
  }
}

}  // namespace vitrine
