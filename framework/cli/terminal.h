#pragma once

#include <chrono>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "framework/comparing/text_table.h"
#include "framework/engine/engine.h"

namespace vitrine {

// What the program prints goes through here, so that log files, pipes and NO_COLOR are respected in
// one place.
bool is_terminal(int descriptor);
std::string coloured(const std::string& text, const char* colour,
                     int descriptor);       // colour: an SGR code such as "31"
void print(const std::string& text);        // standard output, with a newline
void print_aside(const std::string& text);  // standard error: no part of the output
// Prints `value` as json_text writes it.
void print_json(const nlohmann::ordered_json& value);
void print_error(const std::string& text);  // standard error, "error: " before it
void print_warning(const std::string& text);
// From now on nothing is printed: of several processes of one run, the first speaks.
void print_nothing();

std::string duration(double seconds);  // 3 min 20 s
size_t terminal_width();               // of standard error
// The columns of the terminal that standard output is; without one, what COLUMNS says, else no
// limit.
size_t output_width();
// All columns of a table, the heading first, wrapped for that terminal, or for the one that
// standard error is.
std::string terminal_table(const std::vector<std::vector<std::string>>& rows, int descriptor = 1);

// Stops training at the next step on SIGINT, SIGTERM and SIGUSR1; a second one ends the process at
// once, except under a batch system (kBatchVariable).
void install_signal_handlers();
// 0, or the exit code that belongs to the signal that came.
ExitCode requested_stop();
// A trial of a sweep is told to stop when the process that started it dies.
void end_with_parent();

// Shows training, with control characters escaped: a progress bar on a terminal, a line at
// intervals elsewhere.
class Console : public Observer {
 public:
  explicit Console(bool quiet = false) : quiet_(quiet) {}
  ~Console() override;
  void message(const std::string& text) override;
  void warning(const std::string& text) override;
  void progress(const Progress& progress) override;
  void download(uint64_t received, uint64_t total) override;
  void reading(int64_t images, int64_t all) override;  // on a terminal alone
  ExitCode stop_requested() override;

 private:
  void clear_bar();
  void show(const std::string& bar, const std::string& line);

  bool quiet_;
  bool bar_shown_ = false;
  std::chrono::steady_clock::time_point shown_{};
};

}  // namespace vitrine
